//! Rules and the alerts that they came to.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use promql_model::number::Scientific;
use promql_model::{Labels, Matcher};
use promql_rules::evaluate::{Alert, AlertState, GroupStatus, RuleHealth, RuleStatus};
use promql_rules::rule_file::RuleKind;

use super::json;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rules::Told;
use crate::writer::{label_pairs, list, string};
use crate::{Api, answer};

/// Which rules are wanted, and how much of them.
struct Wanted {
    kind: Option<RuleKind>,
    names: Vec<String>,
    groups: Vec<String>,
    files: Vec<String>,
    selectors: Vec<Vec<Matcher>>,
    with_alerts: bool,
    /// At most so many groups, from the one with a token on.
    limit: Option<usize>,
    token: Option<String>,
}

impl Wanted {
    fn read(api: &Api, parameters: &Parameters) -> Result<Wanted, Failure> {
        let all = |name: &str| parameters.all(name).map(str::to_owned).collect();
        let kind = match parameters.get("type").map(str::to_lowercase).as_deref() {
            None => None,
            Some("alert") => Some(RuleKind::Alerting),
            Some("record") => Some(RuleKind::Recording),
            Some(other) => {
                return Err(Failure::parameter("type", format!("not supported value {other:?}")));
            }
        };
        let without_alerts = parameters.boolean("exclude_alerts")?;
        let (limit, token) = page(parameters)?;
        Ok(Wanted {
            kind,
            names: all("rule_name[]"),
            groups: all("rule_group[]"),
            files: all("file[]"),
            selectors: parameters.selectors(&api.settings.features).map_err(Failure::bad_data)?,
            with_alerts: !without_alerts,
            limit,
            token,
        })
    }

    fn has_group(&self, group: &GroupStatus) -> bool {
        let listed = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known == name)
        };
        listed(&self.groups, &group.name) && listed(&self.files, &group.file)
    }

    fn has_rule(&self, rule: &RuleStatus) -> bool {
        let is_named = self.names.is_empty() || self.names.contains(&rule.name);
        is_named && self.kind.is_none_or(|kind| kind == rule.kind) && self.selects(rule)
    }

    /// Whether a selector takes the labels of a rule; templates count as they are written.
    fn selects(&self, rule: &RuleStatus) -> bool {
        let labels = Labels::from_pairs(rule.labels.iter().map(|(name, value)| (name, value)));
        let matches = |m: &Matcher| m.matches(labels.get(m.name()).unwrap_or_default());
        self.selectors.is_empty() || self.selectors.iter().any(|s| s.iter().all(matches))
    }
}

/// How many groups make a page, and the token of the first one.
fn page(parameters: &Parameters) -> Result<(Option<usize>, Option<String>), Failure> {
    let token = parameters.get("group_next_token").map(str::to_owned);
    let Some(text) = parameters.get("group_limit") else {
        let message = "group_limit needs to be present in order to paginate over the groups";
        return match token {
            Some(_) => Err(Failure::parameter("group_next_token", message)),
            None => Ok((None, None)),
        };
    };
    let limit = text.parse::<i64>().map_err(|_| {
        let cause = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
        let message = format!("group_limit needs to be a valid number: {cause}");
        Failure::parameter("group_limit", message)
    })?;
    match usize::try_from(limit) {
        Ok(limit) if limit > 0 => Ok((Some(limit), token)),
        _ => Err(Failure::parameter("group_limit", "group_limit needs to be greater than 0")),
    }
}

pub(super) async fn rules(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let wanted = Wanted::read(&api, &parameters)?;
    let told = told(&api);
    let groups = told.groups.iter().filter(|group| wanted.has_group(group));
    let groups = groups.map(|group| {
        let rules = group.rules.iter().filter(|rule| wanted.has_rule(rule));
        (group, rules.collect::<Vec<&RuleStatus>>())
    });
    let mut groups: Vec<_> = groups.filter(|(_, rules)| !rules.is_empty()).collect();
    if let Some(token) = &wanted.token {
        let first = groups.iter().position(|(group, _)| token_of(group) == *token);
        let message = || format!("invalid group_next_token '{token}'. were rule groups changed?");
        let first = first.ok_or_else(|| Failure::parameter("group_next_token", message()))?;
        groups.drain(..first);
    }
    let next = wanted.limit.and_then(|limit| groups.get(limit)).map(|(group, _)| token_of(group));
    groups.truncate(wanted.limit.unwrap_or(usize::MAX));
    let mut data = String::from("{\"groups\":");
    list(&mut data, groups, |out, (group, rules)| {
        write_group(out, group, &rules, wanted.with_alerts);
    });
    if let Some(next) = next {
        let _ = write!(data, ",\"groupNextToken\":\"{next}\"");
    }
    data.push('}');
    Ok(json(answer::data(&data, &[])))
}

pub(super) async fn alerts(State(api): State<Api>) -> Response {
    let told = told(&api);
    let rules = told.groups.iter().flat_map(|group| &group.rules);
    let mut data = String::from("{\"alerts\":");
    list(&mut data, rules.flat_map(|rule| &rule.alerts), write_alert);
    data.push('}');
    json(answer::data(&data, &[]))
}

/// How rules stand; if none are evaluated, nothing.
fn told(api: &Api) -> Arc<Told> {
    api.rules.as_ref().map(|rules| rules.told()).unwrap_or_default()
}

/// Nobody is notified.
pub(super) async fn alertmanagers() -> Response {
    json(answer::data("{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}", &[]))
}

/// What stands for a group in the next request. Clients send it back as it is.
fn token_of(group: &GroupStatus) -> String {
    let mut hasher = DefaultHasher::new();
    (&group.file, &group.name).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn write_group(out: &mut String, group: &GroupStatus, rules: &[&RuleStatus], with_alerts: bool) {
    out.push_str("{\"name\":");
    string(out, &group.name);
    out.push_str(",\"file\":");
    string(out, &group.file);
    out.push_str(",\"rules\":");
    list(out, rules, |out, rule| write_rule(out, rule, with_alerts));
    let _ = write!(out, ",\"interval\":{},\"limit\":{}", seconds(group.interval), group.limit);
    write_times(out, &group.health);
    out.push('}');
}

fn write_rule(out: &mut String, rule: &RuleStatus, with_alerts: bool) {
    let is_alert = rule.kind == RuleKind::Alerting;
    out.push('{');
    if is_alert {
        let state = match rule.state() {
            _ if rule.health.evaluated.is_none() => "unknown",
            state => name_of(state),
        };
        let _ = write!(out, "\"state\":\"{state}\",");
    }
    out.push_str("\"name\":");
    string(out, &rule.name);
    out.push_str(",\"query\":");
    string(out, &rule.query);
    if is_alert {
        let (hold, keep) = (seconds(rule.hold), seconds(rule.keep_firing_for));
        let _ = write!(out, ",\"duration\":{hold},\"keepFiringFor\":{keep}");
    }
    if is_alert || !rule.labels.is_empty() {
        out.push_str(",\"labels\":");
        label_pairs(out, pairs(&rule.labels));
    }
    if is_alert {
        out.push_str(",\"annotations\":");
        label_pairs(out, pairs(&rule.annotations));
        out.push_str(",\"alerts\":");
        match with_alerts {
            true => list(out, &rule.alerts, write_alert),
            false => out.push_str("null"),
        }
    }
    let health = match rule.health {
        RuleHealth { error: Some(_), .. } => "err",
        RuleHealth { evaluated: None, .. } => "unknown",
        _ => "ok",
    };
    let _ = write!(out, ",\"health\":\"{health}\"");
    if let Some(error) = &rule.health.error {
        out.push_str(",\"lastError\":");
        string(out, error);
    }
    write_times(out, &rule.health);
    out.push_str(if is_alert { ",\"type\":\"alerting\"}" } else { ",\"type\":\"recording\"}" });
}

fn write_alert(out: &mut String, alert: &Alert) {
    out.push_str("{\"labels\":");
    answer::metric(out, &alert.labels);
    out.push_str(",\"annotations\":");
    label_pairs(out, pairs(&alert.annotations));
    let _ = write!(out, ",\"state\":\"{}\"", name_of(alert.state));
    let _ = write!(out, ",\"activeAt\":\"{}\"", time(Some(alert.active_at)));
    if alert.keep_firing_since.is_some() {
        let _ = write!(out, ",\"keepFiringSince\":\"{}\"", time(alert.keep_firing_since));
    }
    let _ = write!(out, ",\"value\":\"{}\"}}", Scientific(alert.value));
}

fn write_times(out: &mut String, health: &RuleHealth) {
    let _ = write!(
        out,
        ",\"evaluationTime\":{},\"lastEvaluation\":\"{}\"",
        health.took.as_secs_f64(),
        time(health.evaluated)
    );
}

fn name_of(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Inactive => "inactive",
    }
}

/// Milliseconds as a number of seconds.
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// A time by RFC 3339; upstream's zero stands for none.
fn time(milliseconds: Option<i64>) -> String {
    let time = milliseconds.and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

fn pairs(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(name, value)| (&**name, &**value))
}
