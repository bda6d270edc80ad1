//! Plans and statistics as JSON.

use serde_json::{Value, json};

use crate::statistics::{NodeStatistics, QueryStatistics, ReadStatistics};

use super::{OutputLabels, PlanNode, PlanRead, PlanSteps, PlanTree, PlanWindow, Sharing};

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
    /// `{"any_but": […]}`. A node that stands for equal parts of the query is an input of several
    /// nodes; then it has `uses`, how often, and `shared`: `computed` once, streamed `together` for
    /// all uses, or in several `passes`, whose number is another key. An aggregation that is computed
    /// in the pass of another one has the position of that as `along`.
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
    let passes = match node.sharing {
        Some(Sharing::Passes(passes)) => Some(passes.into()),
        _ => None,
    };
    let optional = [
        ("window", node.window.as_ref().map(window)),
        ("read", node.read.map(Value::from)),
        ("labels", node.labels.as_ref().map(labels)),
        ("uses", node.sharing.map(|_| node.uses.into())),
        ("shared", node.sharing.map(|sharing| sharing.keyword().into())),
        ("passes", passes),
        ("along", node.along.map(Value::from)),
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

impl QueryStatistics {
    /// The statistics as JSON. `timings` and `samples` are those of the HTTP API with `stats=all`,
    /// in seconds, and more; `nodes` and `reads` are in the order of those of [`PlanTree`]:
    ///
    /// ```json
    /// {
    ///   "timings": {"evalTotalTime": 0.1, "resultSortTime": 0.01, "queryPreparationTime": 0.02,
    ///               "innerEvalTime": 0.07, "execQueueTime": 0, "execTotalTime": 0.1},
    ///   "samples": {"totalQueryableSamples": 60, "peakSamples": 61, "samplesRead": 60,
    ///               "heldSamples": 4, "peakBytes": 4096},
    ///   "nodes": [{"time": 0.05, "candidates": 3, "series": 3, "samples": 60,
    ///              "labels": {"job": 1}}],
    ///   "reads": [{"time": 0.02, "series": 3, "samples": 60}]
    /// }
    /// ```
    ///
    /// `peakSamples` is what Prometheus would hold at most, and `heldSamples` what was held here.
    /// `time` of a node is that in its own code, on all threads. `labels` has the number of
    /// different values of each label.
    pub fn to_json(&self) -> Value {
        let preparation = self.planning_time + self.selecting_time;
        let inner = self.total_time.saturating_sub(preparation + self.finishing_time);
        json!({
            "timings": {
                "evalTotalTime": self.total_time.as_secs_f64(),
                "resultSortTime": self.finishing_time.as_secs_f64(),
                "queryPreparationTime": preparation.as_secs_f64(),
                "innerEvalTime": inner.as_secs_f64(),
                "execQueueTime": 0,
                "execTotalTime": self.total_time.as_secs_f64(),
            },
            "samples": {
                "totalQueryableSamples": self.samples_queried,
                "peakSamples": self.peak_samples_of_server,
                "heldSamples": self.peak_samples,
                "samplesRead": self.samples_read,
                "peakBytes": self.peak_bytes,
            },
            "nodes": self.nodes.iter().map(node_statistics).collect::<Vec<_>>(),
            "reads": self.reads.iter().map(read_statistics).collect::<Vec<_>>(),
        })
    }
}

fn node_statistics(node: &NodeStatistics) -> Value {
    let labels = node.labels.iter().map(|(name, values)| (name.clone(), Value::from(*values)));
    json!({
        "time": node.time.as_secs_f64(),
        "candidates": node.candidates,
        "series": node.series,
        "samples": node.samples,
        "labels": labels.collect::<serde_json::Map<_, _>>(),
    })
}

fn read_statistics(read: &ReadStatistics) -> Value {
    json!({"time": read.time.as_secs_f64(), "series": read.series, "samples": read.samples})
}
