//! Signatures of functions and aggregation operators, as people read them.

use crate::functions::{AggregatorInfo, Arity, FunctionInfo, Parameter};

impl FunctionInfo {
    /// The name, the parameters with their types, and the type of the result. What may be left out
    /// stands in brackets.
    ///
    /// ```
    /// use promql_syntax::Function;
    /// let signature = |function: Function| function.info().signature();
    /// assert_eq!(signature(Function::Rate), "rate(range: range vector): instant vector");
    /// assert_eq!(
    ///     signature(Function::Round),
    ///     "round(v: instant vector [, to_nearest: scalar]): instant vector"
    /// );
    /// assert_eq!(signature(Function::Hour), "hour([v: instant vector]): instant vector");
    /// ```
    pub fn signature(&self) -> String {
        let optional = match self.arity {
            Arity::Exactly => 0,
            Arity::UpTo(_) | Arity::Unbounded => 1,
        };
        let required = self.parameters.len().saturating_sub(optional);
        let mut out = format!("{}(", self.name);
        for (i, parameter) in self.parameters.iter().enumerate() {
            let separator = if i > 0 { ", " } else { "" };
            let parameter = typed(parameter);
            if i < required {
                out.push_str(&format!("{separator}{parameter}"));
                continue;
            }
            let separator = if i > 0 { " [, " } else { "[" };
            let repeated = match self.arity {
                Arity::Exactly | Arity::UpTo(1) => String::new(),
                Arity::UpTo(times) => format!(", … up to {times} of them"),
                Arity::Unbounded => ", …".to_owned(),
            };
            out.push_str(&format!("{separator}{parameter}{repeated}]"));
        }
        out + "): " + self.returns.name()
    }
}

impl AggregatorInfo {
    /// The name, where the clause may stand, the parameters with their types, and the type of the
    /// result.
    ///
    /// ```
    /// use promql_syntax::Aggregator;
    /// assert_eq!(
    ///     Aggregator::Topk.info().signature(),
    ///     "topk [by|without (label, …)] (k: scalar, v: instant vector): instant vector"
    /// );
    /// ```
    pub fn signature(&self) -> String {
        let parameter = self.parameter.as_ref().map(|p| typed(p) + ", ").unwrap_or_default();
        let name = self.name;
        format!("{name} [by|without (label, …)] ({parameter}v: instant vector): instant vector")
    }
}

fn typed(parameter: &Parameter) -> String {
    format!("{}: {}", parameter.name, parameter.value_type)
}
