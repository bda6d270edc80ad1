//! Queries that a machine makes up: well typed, of all that Prometheus 3.5 knows.

use crate::inexact::Node;
use crate::random::Random;
use crate::trial_data::START;

/// Joins texts and nodes.
macro_rules! node {
    ($($part:expr),* $(,)?) => { Node::Parts(vec![$(Node::from($part)),*]) };
}

/// A vector or range vector, and whether the order of its elements is certain on a server. Over a
/// range that is only so for selectors, functions of their windows, and aggregations of these.
struct Vector {
    node: Node,
    is_ordered: bool,
}

const GROUPINGS: [&str; 9] = [
    " by (__name__)",
    "",
    " by (i)",
    " by (i, j)",
    " without (j)",
    " by ()",
    " without (i, le)",
    " without ()",
    " by (nope)",
];

/// A query that a machine made up.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The query.
    pub query: Node,
    /// The vector whose values the query turns into labels, if it does. Where these are not exact,
    /// labels can't be compared but the values can.
    pub counted: Option<Node>,
}

/// Makes up queries.
pub struct Generator {
    /// Where its choices come from.
    pub random: Random,
    /// Whether the query is to be evaluated over a range.
    pub over_range: bool,
}

impl Generator {
    /// A query of a depth.
    pub fn trial(&mut self, depth: u32) -> Trial {
        let query = match self.random.below(24) {
            0 => self.scalar(depth),
            1 if !self.over_range => self.range(depth).node,
            2 => self.sorted(depth),
            3 => {
                let by = self.random.pick(&["", " by (i)", " without (i, j)"]);
                let operand = self.vector(depth).node;
                let query = node!["count_values", by, " (\"v\", ", operand.clone(), ")"];
                return Trial { query, counted: Some(operand) };
            }
            _ => self.vector(depth).node,
        };
        Trial { query, counted: None }
    }

    fn sorted(&mut self, depth: u32) -> Node {
        let operand = self.vector(depth).node;
        match self.random.below(4) {
            0 => node!["sort(", operand, ")"],
            1 => node!["sort_desc(", operand, ")"],
            2 => node!["sort_by_label(", operand, ", \"j\", \"i\")"],
            _ => node!["sort_by_label_desc(", operand, ", \"i\")"],
        }
    }

    fn selector(&mut self) -> &'static str {
        self.random.pick(&[
            "c_total",
            "c_total",
            "g",
            "g",
            "one",
            "h_bucket",
            "wild",
            "steady",
            "steady",
            "big",
            "tiny",
            "when",
            "served",
            "g{i=\"0\"}",
            "c_total{j=~\"x|y\"}",
            "g{j!=\"x\"}",
            "wild{i!~\"1.*\"}",
            "{__name__=~\"g|one\"}",
            "{__name__=~\"steady|c_total\", i=\"1\"}",
            "nothing",
            "g{k=\"\"}",
            "one{k=\"v\", i!=\"\"}",
        ])
    }

    fn modifiers(&mut self) -> String {
        match self.random.below(12) {
            0 => " offset 2m".to_owned(),
            1 => " offset -1m".to_owned(),
            2 => format!(" @ {}", START / 1000 + 1800),
            3 => " @ end()".to_owned(),
            4 => " @ start() offset 90s".to_owned(),
            5 => " offset (1m + 20s)".to_owned(),
            _ => String::new(),
        }
    }

    fn window(&mut self) -> &'static str {
        self.random
            .pick(&["15s", "30s", "1m", "90s", "5m", "5m", "20m", "1h", "2m * 1.5", "47s500ms"])
    }

    /// A range vector.
    fn range(&mut self, depth: u32) -> Vector {
        let window = self.window();
        if depth > 0 && self.random.once_in(4) {
            let step = self.random.pick(&["", "10s", "1m", "37s", "15s"]);
            let modifiers = self.modifiers();
            let over_range = std::mem::replace(&mut self.over_range, true);
            let inner = self.vector(depth - 1).node;
            self.over_range = over_range;
            let node = node!["(", inner, format!(")[{window}:{step}]{modifiers}")];
            return Vector { node, is_ordered: false };
        }
        ordered(node![format!("{}[{window}]{}", self.selector(), self.modifiers())])
    }

    fn scalar(&mut self, depth: u32) -> Node {
        match self.random.below(10) {
            0 => node!["time()"],
            1 | 2 if depth > 0 => node!["scalar(", self.vector(depth - 1).node, ")"],
            3 => node!["-2"],
            4 if depth > 0 => {
                let op = self.random.pick(&["+", "-", "*", "/", "%", "^", "> bool", "== bool"]);
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                // A power is inexact, but scalars can't be changed as vectors can.
                node!["(", left, format!(" {op} "), right, ")"]
            }
            5 => node!["pi()"],
            _ => node![self.random.pick(&["0", "1", "0.5", "7", "20", "1e3", "NaN", "Inf"])],
        }
    }

    /// A quantile, not in parentheses: remarks about those point to one place or another.
    fn quantile(&mut self, depth: u32) -> Node {
        match self.random.below(8) {
            0 if depth > 0 => node!["scalar(", self.vector(depth - 1).node, ")"],
            1 => node![self.random.pick(&["time()", "NaN", "-Inf", "1e3"])],
            _ => node![self.random.pick(&["0.3", "0.9", "0.5", "0.99", "1", "0", "-1", "7"])],
        }
    }

    fn vector(&mut self, depth: u32) -> Vector {
        if depth == 0 {
            return ordered(node![format!("{}{}", self.selector(), self.modifiers())]);
        }
        let depth = depth - 1;
        match self.random.below(20) {
            0..=5 => self.over_range(depth),
            6..=8 => self.aggregation(depth),
            9 => self.selection(depth),
            10 | 11 => self.with_scalar(depth),
            12 | 13 => self.binary(depth),
            14 => self.set_operator(depth),
            15 | 16 => self.element_wise(depth),
            17 => self.date(depth),
            18 => self.labels(depth),
            _ => self.others(depth),
        }
    }

    fn over_range(&mut self, depth: u32) -> Vector {
        let Vector { node: range, is_ordered } = self.range(depth);
        let call = |name: &str| node![name, "(", range.clone(), ")"];
        // What sums of distances and of products are relative to: the largest value.
        let largest = node![
            "(clamp_min(max_over_time(",
            range.clone(),
            "), 0) - clamp_max(min_over_time(",
            range.clone(),
            "), 0))"
        ];
        let span = node![
            "(ts_of_last_over_time(",
            range.clone(),
            ") - ts_of_first_over_time(",
            range.clone(),
            "))"
        ];
        let node = match self.random.below(30) {
            0..=9 => {
                let exact = self.random.pick(&[
                    "min_over_time",
                    "max_over_time",
                    "count_over_time",
                    "last_over_time",
                    "present_over_time",
                    "absent_over_time",
                    "changes",
                    "resets",
                    "idelta",
                    "ts_of_max_over_time",
                    "ts_of_min_over_time",
                    "ts_of_last_over_time",
                ]);
                call(exact)
            }
            10..=19 => {
                let name = self.random.pick(&["rate", "increase", "delta", "irate"]);
                call(name).inexact()
            }
            20 | 21 => {
                let name = self.random.pick(&["sum_over_time", "avg_over_time"]);
                call(name).inexact()
            }
            22 => call("stddev_over_time").inexact_by(largest),
            23 => {
                let scale = node![
                    largest.clone(),
                    " * (2 * stddev_over_time(",
                    range.clone(),
                    ") + 1e-14 * ",
                    largest,
                    ")"
                ];
                call("stdvar_over_time").inexact_by(scale)
            }
            24 => call("deriv").inexact_by(node!["4 * ", largest, " / ", span]),
            25 | 26 => {
                let ahead = self.random.pick(&["9", "60", "3600", "86400 * 30"]);
                let sign = self.random.pick(&["", "", "-"]);
                let far = node!["(time() - ts_of_first_over_time(", range.clone(), "))"];
                // The slope is off by this, and so is what it is multiplied by.
                let slope = node![
                    "(abs(",
                    far.clone(),
                    ") * ",
                    largest,
                    " + abs(deriv(",
                    range.clone(),
                    ")) * ",
                    far.clone(),
                    " ^ 2) / ",
                    span,
                    " ^ 2"
                ];
                let scale = node!["4 * (abs(", far, ") + ", ahead, ") * ", slope];
                node!["predict_linear(", range, ", ", sign, ahead, ")"].inexact_by(scale)
            }
            27 => {
                let quantile = self.quantile(depth);
                node!["quantile_over_time(", quantile, ", ", range, ")"].inexact()
            }
            28 => {
                let factors = self.random.pick(&["0.5, 0.1", "0.3, 0.6", "0.9, 0.9", "1.5, 0.2"]);
                let call = node!["double_exponential_smoothing(", range, ", ", factors, ")"];
                call.inexact_by(largest)
            }
            // A server of this version passes over NaN.
            _ => node!["mad_over_time(", self.range_of_numbers(), ")"].inexact(),
        };
        Vector { node, is_ordered }
    }

    fn range_of_numbers(&mut self) -> Node {
        let selector = self.random.pick(&["g", "c_total", "steady", "when"]);
        node![format!("{selector}[{}]{}", self.window(), self.modifiers())]
    }

    fn grouping(&mut self) -> &'static str {
        self.random.pick(&GROUPINGS)
    }

    fn aggregation(&mut self, depth: u32) -> Vector {
        let op = self.random.pick(&[
            "sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile",
        ]);
        let by = match op {
            "min" | "max" | "count" | "group" => self.grouping(),
            // A result that keeps its name can't be changed: a multiplication drops it.
            _ => self.random.pick(&GROUPINGS[1..]),
        };
        let Vector { node: operand, is_ordered } = self.vector(depth);
        let largest = node![
            "(clamp_min(max",
            by,
            " (",
            operand.clone(),
            "), 0) - clamp_max(min",
            by,
            " (",
            operand.clone(),
            "), 0))"
        ];
        let call = node![op, by, " (", operand.clone(), ")"];
        let node = match op {
            "min" | "max" | "count" | "group" => call,
            "stddev" => call.inexact_by(largest),
            "stdvar" => {
                let deviation = node!["stddev", by, " (", operand, ")"];
                let scale =
                    node![largest.clone(), " * (2 * ", deviation, " + 1e-14 * ", largest, ")"];
                call.inexact_by(scale)
            }
            "quantile" => {
                let mut quantile = self.quantile(depth);
                // A parameter at a fixed time has this version's engine at the first step only.
                if quantile.text(None).contains('@') {
                    quantile = node!["0.5"];
                }
                node![op, by, " (", quantile, ", ", operand, ")"].inexact()
            }
            _ => call.inexact(),
        };
        Vector { node, is_ordered }
    }

    /// A few elements. Which of equal ones are taken depends on their order, so where that is not
    /// certain only how many there are and what they sum up to is asked.
    fn selection(&mut self, depth: u32) -> Vector {
        let op = self.random.pick(&["topk", "bottomk", "limitk", "limit_ratio"]);
        let by = self.random.pick(&["", " by (i)", " without (j)", " by (i, j)"]);
        let parameter = match op {
            "limit_ratio" => self.random.pick(&["0.3", "0.9", "-0.4", "1", "-1", "0", "2"]),
            _ => self.random.pick(&["1", "2", "3.7", "0", "-5", "100"]),
        };
        let Vector { node: operand, is_ordered } = self.vector(depth);
        let call = node![op, by, format!(" ({parameter}, "), operand, ")"];
        if is_ordered || op == "limit_ratio" {
            let is_ordered = op == "limit_ratio" && is_ordered && !self.over_range;
            return Vector { node: call, is_ordered };
        }
        let outer = if op == "limitk" { "count" } else { "sum" };
        Vector { node: node![outer, by, " (", call, ")"].inexact(), is_ordered: false }
    }

    fn with_scalar(&mut self, depth: u32) -> Vector {
        let op = self.random.pick(&[
            "+", "-", "*", "/", "%", "^", ">", "<=", "<", "== bool", "!=", ">= bool", "atan2",
        ]);
        let Vector { node: vector, is_ordered } = self.vector(depth);
        let scalar = self.scalar(depth);
        let (left, right) = match self.random.below(2) {
            0 => (node!["(", vector, ")"], scalar),
            _ => (scalar, node!["(", vector, ")"]),
        };
        let node = node!["(", left, format!(" {op} "), right, ")"];
        let node = if op == "^" || op == "atan2" { node.inexact() } else { node };
        Vector { node, is_ordered: is_ordered && !self.over_range }
    }

    fn binary(&mut self, depth: u32) -> Vector {
        let op = self.random.pick(&[
            "+", "-", "*", "/", "%", "^", "> bool", "<", "==", "!=", ">=", "atan2", "<= bool",
        ]);
        let matching = self.random.pick(&[
            "",
            "",
            "on (i)",
            "on (i, j)",
            "ignoring (j)",
            "on (i) group_left ()",
            "on (i) group_left (k)",
            "on (i) group_right ()",
            "ignoring (j, k) group_left (k)",
            "ignoring (j, le) group_right (j)",
            "on ()",
        ]);
        let (left, right) = (self.vector(depth).node, self.vector(depth).node);
        let node = node!["((", left, format!(") {op} {matching} ("), right, "))"];
        let node = if op == "^" || op == "atan2" { node.inexact() } else { node };
        Vector { node, is_ordered: false }
    }

    fn set_operator(&mut self, depth: u32) -> Vector {
        let op = self.random.pick(&["and", "or", "unless"]);
        let matching = self.random.pick(&["", "on (i)", "ignoring (j)", "on ()"]);
        let (left, right) = (self.vector(depth).node, self.vector(depth).node);
        let node = node!["((", left, format!(") {op} {matching} ("), right, "))"];
        Vector { node, is_ordered: false }
    }

    fn element_wise(&mut self, depth: u32) -> Vector {
        // Those of native histograms pass over floats.
        let exact = [
            "abs",
            "ceil",
            "floor",
            "sgn",
            "sqrt",
            "round",
            "timestamp",
            "-",
            "abs",
            "ceil",
            "sgn",
            "round",
            "timestamp",
            "-",
            "histogram_avg",
            "histogram_count",
            "histogram_sum",
            "histogram_stddev",
            "histogram_stdvar",
        ];
        let inexact = [
            "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
            "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad",
        ];
        let Vector { node: operand, is_ordered } = self.vector(depth);
        let node = match self.random.below(7) {
            0..=2 => {
                let name = self.random.pick(&exact);
                node!["(", name, "(", operand, "))"]
            }
            3 | 4 => {
                let name = self.random.pick(&inexact);
                node![name, "(", operand, ")"].inexact()
            }
            5 => {
                let nearest = self.scalar(depth);
                node!["round(", operand, ", ", nearest, ")"].inexact()
            }
            _ => match self.random.below(3) {
                0 => node!["clamp(", operand, ", ", self.scalar(depth), ", 15)"],
                1 => node!["clamp_min(", operand, ", ", self.scalar(depth), ")"],
                _ => node!["clamp_max(", operand, ", ", self.scalar(depth), ")"],
            },
        };
        Vector { node, is_ordered: is_ordered && !self.over_range }
    }

    /// The date of a value that is no time, or millions of years away, is not defined.
    fn date(&mut self, depth: u32) -> Vector {
        let name = self.random.pick(&[
            "minute",
            "hour",
            "day_of_week",
            "day_of_month",
            "day_of_year",
            "days_in_month",
            "month",
            "year",
        ]);
        let node = match self.random.below(4) {
            0 => node![name, "()"],
            1 => node![name, "(when)"],
            _ => node![name, "((", self.vector(depth).node, ") > -1e11 < 1e11)"],
        };
        Vector { node, is_ordered: false }
    }

    fn labels(&mut self, depth: u32) -> Vector {
        let Vector { node: operand, is_ordered } = self.vector(depth);
        let arguments = self.random.pick(&[
            "\"m\", \"<$1>\", \"j\", \"(x|y)\"",
            "\"j\", \"${1}0\", \"i\", \"(.*)\"",
            "\"m\", \"all\", \"nope\", \"\"",
            "\"i\", \"\", \"j\", \"z\"",
        ]);
        let node = match self.random.below(3) {
            0 => node!["label_join(", operand, ", \"ij\", \"-\", \"i\", \"j\")"],
            _ => node!["label_replace(", operand, format!(", {arguments})")],
        };
        Vector { node, is_ordered: is_ordered && !self.over_range }
    }

    fn others(&mut self, depth: u32) -> Vector {
        let window = self.window();
        let node = match self.random.below(7) {
            0 | 1 => {
                let quantile = self.quantile(depth);
                let buckets = node![format!("rate(h_bucket[{window}])")].inexact();
                let by = self.random.pick(&["sum by (le) ", "sum by (i, le) ", ""]);
                node!["histogram_quantile(", quantile, ", ", by, "(", buckets, "))"].inexact()
            }
            2 => {
                // Bounds within the lowest bucket give nothing in this version.
                let bounds = self.random.pick(&["0.1, 3", "-Inf, 0.1", "5, Inf", "1, 2"]);
                let buckets = node![format!("rate(f_bucket[{window}])")].inexact();
                node!["histogram_fraction(", bounds, ", ", buckets, ")"].inexact_by(node!["1"])
            }
            3 => node!["vector(", self.scalar(depth), ")"],
            4 => {
                let labels = self.random.pick(&["", ", {os=\"linux\"}", ", {os=~\".*\"}"]);
                node!["info(served", labels, ")"]
            }
            5 => {
                let selector = self.random.pick(&["nothing{i=\"1\"}", "g{i=\"7\", j=~\"x\"}"]);
                node!["absent(", selector, ")"]
            }
            _ => node!["absent(", self.vector(depth).node, ")"],
        };
        Vector { node, is_ordered: false }
    }
}

fn ordered(node: Node) -> Vector {
    Vector { node, is_ordered: true }
}
