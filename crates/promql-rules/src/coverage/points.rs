//! Which points a rule has.
//!
//! They follow from the rule alone, so that the same rule has the same points in the same order in
//! every run, and counts of several runs can be added.

use std::ops::Range;

use promql_model::{METRIC_NAME, MatchOp, Matcher};
use promql_syntax::Query;
use promql_syntax::ast::{List, NodeId, NodeKind, SelectorId};
use promql_syntax::query::{
    Aggregation, Cardinality, ComparisonOp, ElementOp, Range as RangeVector, RangeFunction, Root,
    Scalar, ScalarId, SetOp, Vector, VectorId,
};

use super::PointKind;
use super::probe::{Excluding, Grouping, Pairing, Probe};
use crate::evaluate::PreparedRule;
use crate::rule_file::RuleKind;
use crate::template::Template;

/// Something about a rule that a test can exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// What.
    pub(crate) kind: PointKind,
    /// Where.
    pub(crate) place: Place,
    /// Of a part of the expression, all of that part.
    pub(super) extent: Option<Range<usize>>,
}

/// A place in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The name of the rule.
    Name,
    /// Bytes of the expression.
    Expression(Range<usize>),
    /// `for`.
    For,
    /// `keep_firing_for`.
    KeepFiringFor,
    /// Bytes of the label of a name, which may be one of the group.
    Label(String, Range<usize>),
    /// Bytes of the annotation of a name.
    Annotation(String, Range<usize>),
}

/// The points of a rule, each with how to find out whether it was exercised.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points {
    pub(super) points: Vec<Point>,
    pub(super) probes: Vec<Probe>,
}

/// The points of a rule: first those of the rule as a whole, then those of its expression and then
/// those of its templates, as they are written.
pub(crate) fn points(rule: &PreparedRule) -> Points {
    let mut all = Points::default();
    all.rule(rule);
    let mut finder = Finder { query: &rule.query, found: Vec::new() };
    finder.find();
    finder.found.sort_by_key(|(point, _)| {
        let Point { kind, extent, place } = point;
        let at = match place {
            Place::Expression(place) => place.start,
            _ => 0,
        };
        (at, extent.as_ref().map_or(0, |extent| extent.end), *kind)
    });
    for (point, probe) in finder.found {
        all.add(point, probe);
    }
    let of_labels = rule.templates.iter().map(|(name, _, template)| (name, template, true));
    let of_annotations = rule.annotations.iter().map(|(name, template)| (name, template, false));
    for (number, (name, template, is_label)) in of_labels.chain(of_annotations).enumerate() {
        all.template(number, name, template, is_label);
    }
    all
}

impl Points {
    fn add(&mut self, point: Point, probe: Probe) {
        self.points.push(point);
        self.probes.push(probe);
    }

    fn rule(&mut self, rule: &PreparedRule) {
        let point = |kind, place| Point { kind, place, extent: None };
        self.add(point(PointKind::Evaluated, Place::Name), Probe::Event);
        if rule.kind == RuleKind::Alerting {
            if rule.hold > 0 {
                self.add(point(PointKind::Pending, Place::For), Probe::Event);
            }
            self.add(point(PointKind::Fires, Place::Name), Probe::Event);
            self.add(point(PointKind::Expected, Place::Name), Probe::Event);
            if rule.keep_firing_for > 0 {
                self.add(point(PointKind::Kept, Place::KeepFiringFor), Probe::Event);
            }
            self.add(point(PointKind::Resolves, Place::Name), Probe::Event);
        }
        let root = rule.query.expr().root();
        let extent = range(rule.query.span(root));
        // A scalar always gives something.
        if let Root::Vector(id) = rule.query.root() {
            let place = Place::Expression(extent.clone());
            let point = Point { kind: PointKind::Result, place, extent: Some(extent) };
            self.add(point, Probe::Gives(rule.query.vector(id).origin));
        }
    }

    fn template(&mut self, number: usize, name: &str, template: &Template, is_label: bool) {
        for (at, condition) in template.branches() {
            for (kind, taken) in [(PointKind::Taken, true), (PointKind::NotTaken, false)] {
                let place = match is_label {
                    true => Place::Label(name.to_owned(), condition.clone()),
                    false => Place::Annotation(name.to_owned(), condition.clone()),
                };
                let point = Point { kind, place, extent: None };
                self.add(point, Probe::Branch { template: number, at, taken });
            }
        }
    }

    /// The position of the point of a kind that a rule has once at most.
    pub(super) fn position(&self, kind: PointKind) -> Option<usize> {
        self.points.iter().position(|point| point.kind == kind)
    }
}

fn range(span: promql_syntax::Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Finds the points of an expression.
struct Finder<'q> {
    query: &'q Query,
    found: Vec<(Point, Probe)>,
}

impl Finder<'_> {
    fn find(&mut self) {
        for node in self.query.vectors() {
            self.vector(&node.kind, node.origin);
        }
        for node in self.query.scalars() {
            if let Scalar::Binary(ElementOp::Filter(_) | ElementOp::Bool(_), a, b) = node.kind {
                let is_number =
                    |id: ScalarId| matches!(self.query.scalar(id).kind, Scalar::Number(_));
                // The comparison of two numbers is what it is.
                if !(is_number(a) && is_number(b)) {
                    self.truth(node.origin, |truth| Probe::Gave(node.origin, truth));
                }
            }
        }
        for node in self.query.ranges() {
            if let RangeVector::Selector { selector, .. } = node.kind {
                self.selector(selector, node.origin);
            }
        }
    }

    fn add(&mut self, kind: PointKind, place: Range<usize>, node: NodeId, probe: Probe) {
        let extent = Some(range(self.query.span(node)));
        self.found.push((Point { kind, place: Place::Expression(place), extent }, probe));
    }

    fn vector(&mut self, kind: &Vector, origin: NodeId) {
        let node = |id: VectorId| self.query.vector(id).origin;
        match kind {
            Vector::Selector(selector) => self.selector(*selector, origin),
            Vector::WithScalar { op: ElementOp::Bool(_), .. }
            | Vector::Binary { op: ElementOp::Bool(_), .. } => {
                self.truth(origin, |truth| Probe::Gave(origin, truth));
            }
            Vector::WithScalar { op: ElementOp::Filter(_), vector, .. } => {
                let operand = node(*vector);
                self.truth(origin, |truth| match truth {
                    true => Probe::Gives(origin),
                    false => Probe::DropsFloats { node: origin, operand },
                });
            }
            Vector::Binary { op: ElementOp::Filter(op), lhs, rhs, matching } => {
                let (mut many, mut one) = (node(*lhs), node(*rhs));
                if matching.cardinality == Cardinality::OneToMany {
                    std::mem::swap(&mut many, &mut one);
                }
                // Named for the sides after the many side has been put on the left.
                let (fill_many, fill_one) = self.query.fill_values(matching);
                let pairing = Pairing {
                    node: origin,
                    many,
                    one,
                    grouping: self.grouping(matching.labels, !matching.on),
                    fills_many: fill_many.is_some(),
                    fills_one: fill_one.is_some(),
                    compares_histograms: matches!(op, ComparisonOp::Eq | ComparisonOp::Ne),
                };
                self.truth(origin, |truth| match truth {
                    true => Probe::Gives(origin),
                    false => Probe::DropsPairs(Box::new(pairing.clone())),
                });
            }
            Vector::Binary { .. } => {
                let place = self.operator(origin);
                self.add(PointKind::Pairs, place, origin, Probe::Gives(origin));
            }
            Vector::Set { op, lhs, .. } => {
                let (lhs, place) = (node(*lhs), self.operator(origin));
                let gives = Probe::Gives(origin);
                let drops = Probe::Drops { node: origin, operand: lhs };
                let adds = Probe::Adds { node: origin, operand: lhs };
                let points = match op {
                    SetOp::And => [(PointKind::AndKeeps, gives), (PointKind::AndDrops, drops)],
                    SetOp::Unless => {
                        [(PointKind::UnlessKeeps, gives), (PointKind::UnlessDrops, drops)]
                    }
                    SetOp::Or => {
                        [(PointKind::OrLeft, Probe::Gives(lhs)), (PointKind::OrRight, adds)]
                    }
                };
                for (kind, probe) in points {
                    self.add(kind, place.clone(), origin, probe);
                }
            }
            Vector::Aggregate { op, vector, labels, without } => {
                self.aggregation(op, node(*vector), *labels, *without, origin);
            }
            Vector::Absent(_) | Vector::AbsentOverTime(_) => {
                let place = self.function(origin);
                self.add(PointKind::Absent, place, origin, Probe::Gives(origin));
            }
            Vector::OverRange(
                RangeFunction::Rate
                | RangeFunction::Increase
                | RangeFunction::Irate
                | RangeFunction::Delta
                | RangeFunction::Idelta
                | RangeFunction::Deriv,
                _,
            )
            | Vector::PredictLinear { .. }
            | Vector::DoubleExponentialSmoothing { .. } => {
                let place = self.function(origin);
                self.add(PointKind::Value, place, origin, Probe::Gives(origin));
            }
            _ => {}
        }
    }

    fn aggregation(
        &mut self,
        op: &Aggregation,
        operand: NodeId,
        labels: List,
        without: bool,
        origin: NodeId,
    ) {
        let NodeKind::Aggregate { op: name, .. } = self.query.expr().kind(origin) else { return };
        let start = range(self.query.span(origin)).start;
        let place = start..start + name.name().len();
        let grouping = self.grouping(labels, without);
        match op {
            Aggregation::Topk(_)
            | Aggregation::Bottomk(_)
            | Aggregation::Limitk(_)
            | Aggregation::LimitRatio(_) => {
                let drops = Probe::Drops { node: origin, operand };
                self.add(PointKind::Drops, place.clone(), origin, drops);
            }
            _ => {
                let several = Probe::Several { operand, grouping: grouping.clone() };
                self.add(PointKind::Several, place.clone(), origin, several);
            }
        }
        let written = self.query.labels(labels);
        if !written.is_empty() || without {
            let place = match (written.first(), written.last()) {
                (Some(first), Some(last)) => first.span.start as usize..last.span.end as usize,
                _ => place,
            };
            self.add(PointKind::Groups, place, origin, Probe::Groups { operand, grouping });
        }
    }

    fn grouping(&self, labels: List, without: bool) -> Grouping {
        let names = self.query.labels(labels).iter();
        let names = names.map(|l| String::from_utf8_lossy(self.query.text(l.name)).into_owned());
        Grouping { names: names.collect(), without }
    }

    fn truth(&mut self, node: NodeId, probe: impl Fn(bool) -> Probe) {
        let place = self.operator(node);
        for (kind, truth) in [(PointKind::True, true), (PointKind::False, false)] {
            self.add(kind, place.clone(), node, probe(truth));
        }
    }

    fn selector(&mut self, id: SelectorId, node: NodeId) {
        let expr = self.query.expr();
        let extent = range(self.query.span(node));
        let selector = expr.selector(id);
        let place = match expr.kind(node) {
            NodeKind::MatrixSelector { selector, .. } => range(expr.span(selector)),
            _ => extent,
        };
        self.add(PointKind::Selects, place, node, Probe::Selects(id));
        let matcher = |(name, op, value): (&[u8], _, &[u8])| {
            Matcher::new(std::str::from_utf8(name).ok()?, op, value).ok()
        };
        let Some(all) = self.query.matchers(id).map(matcher).collect::<Option<Vec<Matcher>>>()
        else {
            return;
        };
        // Those in the braces come first, in the order in which they are written.
        for (at, written) in expr.matchers(selector).iter().enumerate() {
            let Some(matcher) = all.get(at).cloned() else { continue };
            if written.is_name || matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal {
                continue;
            }
            let others = all.iter().enumerate().filter(|(other, _)| *other != at);
            let others = others.map(|(_, matcher)| matcher.clone()).collect();
            let probe = Probe::Excludes(Box::new(Excluding { selector: id, matcher, others }));
            self.add(PointKind::Excludes, range(written.span), node, probe);
        }
    }

    /// The operator of a binary operation, without what modifies it.
    fn operator(&self, node: NodeId) -> Range<usize> {
        let expr = self.query.expr();
        let all = range(expr.span(node));
        let NodeKind::Binary { op, lhs, rhs, .. } = expr.kind(node) else { return all };
        let (from, to) = (range(expr.span(lhs)).end, range(expr.span(rhs)).start);
        let between = expr.source().get(from..to).unwrap_or_default();
        let mut at = 0;
        while let Some(byte) = between.get(at) {
            match byte {
                b'#' => {
                    let line = between[at..].iter().position(|byte| *byte == b'\n');
                    at += line.unwrap_or(between.len() - at);
                }
                byte if byte.is_ascii_whitespace() => at += 1,
                _ => return from + at..from + at + op.symbol().len(),
            }
        }
        all
    }

    /// The name of a function that is called.
    fn function(&self, node: NodeId) -> Range<usize> {
        let all = range(self.query.span(node));
        match self.query.expr().kind(node) {
            NodeKind::Call { function, .. } => all.start..all.start + function.name.len(),
            _ => all,
        }
    }
}
