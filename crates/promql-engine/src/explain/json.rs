//! Plans as JSON.

use serde_json::{Value, json};

use super::{OutputLabels, PlanNode, PlanRead, PlanSteps, PlanTree, PlanWindow};

impl PlanTree {
    /// The plan as JSON. Times and durations are milliseconds, positions of nodes and reads count
    /// from 0, and what doesn't apply to a node is left out:
    ///
    /// ```json
    /// {
    ///   "steps": {"start": 0, "step": 15000, "count": 241},
    ///   "nodes": [{
    ///     "operation": "x_total[5m]", "type": "range vector", "span": [5, 16],
    ///     "evaluation": "streamed", "steps": {}, "inputs": [],
    ///     "window": {"range": 300000, "offset": 0, "before": 0, "after": 0},
    ///     "read": 0, "labels": {"any_but": []}
    ///   }],
    ///   "reads": [{"matchers": "{__name__=\"x_total\"}", "start": -299999, "end": 0, "uses": 1}]
    /// }
    /// ```
    ///
    /// A window has `at` instead of `offset` if all steps share it. `labels` is `{"only": […]}` or
    /// `{"any_but": […]}`. A node with `same_as` uses the result of that node.
    pub fn to_json(&self) -> Value {
        json!({
            "steps": steps(&self.steps),
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
            "reads": self.reads.iter().map(read).collect::<Vec<_>>(),
        })
    }
}

fn steps(steps: &PlanSteps) -> Value {
    json!({"start": steps.start, "step": steps.step, "count": steps.count})
}

fn node(node: &PlanNode) -> Value {
    let mut value = json!({
        "operation": node.operation,
        "type": node.value_type.name(),
        "span": [node.span.start, node.span.end],
        "evaluation": node.evaluation.keyword(),
        "steps": steps(&node.steps),
        "inputs": node.inputs,
    });
    let optional = [
        ("window", node.window.as_ref().map(window)),
        ("read", node.read.map(Value::from)),
        ("labels", node.labels.as_ref().map(labels)),
        ("same_as", node.same_as.map(Value::from)),
    ];
    for (key, optional) in optional {
        if let Some(optional) = optional {
            value[key] = optional;
        }
    }
    value
}

fn window(window: &PlanWindow) -> Value {
    let PlanWindow { range, at, offset, before, after } = window;
    match at {
        Some(at) => json!({"range": range, "at": at, "before": before, "after": after}),
        None => json!({"range": range, "offset": offset, "before": before, "after": after}),
    }
}

fn labels(labels: &OutputLabels) -> Value {
    match labels {
        OutputLabels::Only(names) => json!({"only": names}),
        OutputLabels::AllBut(names) => json!({"any_but": names}),
    }
}

fn read(read: &PlanRead) -> Value {
    json!({
        "matchers": read.matchers,
        "start": read.range.start,
        "end": read.range.end,
        "uses": read.uses,
    })
}
