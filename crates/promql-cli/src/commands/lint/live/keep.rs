//! Answers of a server that are kept for a while, so that the next run doesn't ask again.
//!
//! They lie in `promql/lint` in the folder for caches, a file for each server. Whose data is asked for is part
//! of the name of the file; where that can't be told without a secret, as in headers, nothing is kept.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use promql_lint::live::{LiveOptions, Question, Refusal, Reply, Server};
use serde::{Deserialize, Serialize};

use super::LiveFlags;

/// The form of the file. Files of another form are not read.
const FORM: u32 = 1;

/// A file with answers.
#[derive(Serialize, Deserialize)]
struct Kept {
    form: u32,
    answers: Vec<Answer>,
}

/// An answer, and when it was given, in milliseconds since the epoch.
#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    at: i64,
    question: Question,
    reply: Reply,
}

/// A server whose answers are kept.
pub(super) struct Keeping<S> {
    server: S,
    path: Option<PathBuf>,
    now: i64,
    known: Mutex<HashMap<Question, (i64, Reply)>>,
}

impl<S: Server> Keeping<S> {
    /// Reads what was kept of a server and isn't too old.
    pub(super) fn open(
        server: S,
        address: &str,
        flags: &LiveFlags,
        options: &LiveOptions,
        now: i64,
    ) -> Keeping<S> {
        let path = path(address, flags);
        let most = i64::try_from(options.keep_answers.as_millis()).unwrap_or(i64::MAX);
        let path = path.filter(|_| most > 0);
        let mut known = HashMap::new();
        let text = path.as_ref().filter(|_| !flags.fresh).and_then(|path| fs::read(path).ok());
        if let Some(kept) = text.and_then(|text| serde_json::from_slice::<Kept>(&text).ok())
            && kept.form == FORM
        {
            let is_young = |answer: &Answer| (0..=most).contains(&(now - answer.at));
            for answer in kept.answers.into_iter().filter(is_young) {
                known.insert(answer.question, (answer.at, answer.reply));
            }
        }
        Keeping { server, path, now, known: Mutex::new(known) }
    }

    /// Writes what is known. If that can't be done the next run asks again.
    pub(super) fn save(&self) {
        let Some(path) = &self.path else { return };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = known.iter().map(|(question, (at, reply))| Answer {
            at: *at,
            question: question.clone(),
            reply: reply.clone(),
        });
        let kept = Kept { form: FORM, answers: answers.collect() };
        let Ok(text) = serde_json::to_vec(&kept) else { return };
        let Some(folder) = path.parent() else { return };
        let beside = folder.join(format!(".{}.tmp", std::process::id()));
        let written = private_folder(folder)
            .and_then(|()| fs::write(&beside, text))
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
    }
}

impl<S: Server> Server for Keeping<S> {
    fn ask(&self, question: &Question) -> Result<Reply, Refusal> {
        let known = |keeping: &Self| {
            let known = keeping.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(question).map(|(_, reply)| reply.clone())
        };
        if let Some(reply) = known(self) {
            return Ok(reply);
        }
        let reply = self.server.ask(question)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(question.clone(), (self.now, reply.clone()));
        Ok(reply)
    }
}

/// A folder that nobody else reads.
fn private_folder(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The file of a server: of its address, and of who asks, as far as that is no secret. Nothing if that isn't
/// far enough.
fn path(address: &str, flags: &LiveFlags) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let is_secret = !flags.server.headers.is_empty()
        || ["PROMQL_HEADERS", "PROMQL_TOKEN"].iter().any(|name| variable(name).is_some());
    if is_secret {
        return None;
    }
    let folder = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))?;
    let mut hasher = DefaultHasher::new();
    let server = &flags.server;
    let user = server.basic_auth.as_ref().and_then(|text| text.split(':').next());
    (address, &server.tenant, user, variable("PROMQL_USERNAME")).hash(&mut hasher);
    (&server.http_config, &server.bearer_token_file, &server.sigv4).hash(&mut hasher);
    variable("PROMQL_TOKEN_FILE").hash(&mut hasher);
    Some(folder.join("promql").join("lint").join(format!("{:016x}.json", hasher.finish())))
}
