//! Which series there are, and which labels.

use axum::extract::{Path, State};
use axum::response::Response;
use promql_engine::{LabelQuery, SelectHints, SelectRequest};
use promql_model::Labels;

use super::json;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::writer::{list, string};
use crate::{Api, answer};

/// The warning that there is more than was asked for.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// A list of which there may be too much.
fn limited<T>(
    mut items: Vec<T>,
    limit: usize,
    write: impl FnMut(&mut String, &T),
) -> Result<Response, Failure> {
    let mut warnings = Vec::new();
    if limit > 0 && items.len() > limit {
        items.truncate(limit);
        warnings.push(TRUNCATED.to_owned());
    }
    let mut data = String::new();
    list(&mut data, &items, write);
    Ok(json(answer::data(&data, &warnings)))
}

pub(super) async fn series(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    if parameters.all("match[]").next().is_none() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    let limit = parameters.limit("limit")?;
    let range = parameters.range()?;
    let selectors = parameters
        .selectors(&api.settings.features)
        .map_err(|message| Failure::parameter("match[]", message))?;
    let found = api.run(move |api, cancellation| {
        let mut all: Vec<Labels> = Vec::new();
        for matchers in &selectors {
            let request = SelectRequest {
                matchers,
                range,
                hints: SelectHints { function: Some("series"), ..SelectHints::default() },
                cancellation: &cancellation,
            };
            all.extend_from_slice(api.storage().select(&request)?.labels());
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    });
    limited(found.await?, limit, answer::metric)
}

/// Asks the storage for names or values of labels.
async fn texts(
    api: Api,
    parameters: Parameters,
    ask: impl FnOnce(&Api, &LabelQuery<'_>) -> Result<Vec<String>, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let limit = parameters.limit("limit")?;
    let range = parameters.range()?;
    let selectors = parameters.selectors(&api.settings.features).map_err(Failure::bad_data)?;
    let found = api.run(move |api, _| ask(api, &LabelQuery { selectors: &selectors, range }));
    limited(found.await?, limit, |out, text| string(out, text))
}

pub(super) async fn names(
    State(api): State<Api>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    texts(api, parameters, |api, query| Ok(api.storage().label_names(query)?)).await
}

pub(super) async fn values(
    State(api): State<Api>,
    Path(name): Path<String>,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let name = unescaped(&name);
    if name.is_empty() {
        return Err(Failure::bad_data("invalid label name: \"\""));
    }
    texts(api, parameters, move |api, query| Ok(api.storage().label_values(&name, query)?)).await
}

/// The label that a name in a path stands for. One that is not made of letters, digits and
/// underscores is written as `U__` and then `__` for an underscore and `_HEX_` for other
/// characters. What is not written so stands for itself.
fn unescaped(name: &str) -> String {
    fn rest(text: &str) -> Option<String> {
        let mut name = String::new();
        let mut parts = text.chars();
        while let Some(c) = parts.next() {
            if c != '_' {
                name.push(c);
                continue;
            }
            let code: String = parts.by_ref().take_while(|c| *c != '_').collect();
            name.push(match &*code {
                "" => '_',
                code => char::from_u32(u32::from_str_radix(code, 16).ok()?)?,
            });
        }
        Some(name)
    }
    name.strip_prefix("U__").and_then(rest).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn names_in_paths() {
        assert_eq!(unescaped("job"), "job");
        assert_eq!(unescaped("U__a_2e_b"), "a.b");
        assert_eq!(unescaped("U__a__b"), "a_b");
        assert_eq!(unescaped("U__a_zz_b"), "U__a_zz_b");
    }
}
