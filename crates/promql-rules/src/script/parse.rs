//! From the text of a script to its evals.

use std::ops::Range;

use promql_storage::fixture::{ScriptBlock, ScriptCommand, ScriptLoader, script_blocks};
use promql_storage::{Problems, Trouble, report, utf8};
use promql_syntax::{Features, compile};

use super::{Eval, Script, Stage, expect, head};

impl Script {
    /// Reads a script and loads its series. `name` is what it is called in diagnostics.
    ///
    /// # Errors
    /// All that is wrong: with a command, with the series that are loaded, with a query, or with what
    /// it is expected to give. Upstream only finds out when it comes to it that a sample is loaded
    /// before those that are there, or that buckets are no histogram; here the script is not run
    /// then.
    pub fn parse(name: &str, text: &[u8]) -> Result<Script, Problems> {
        Script::parse_with(name, text, &Features::ALL)
    }

    /// The same with only some of the experimental parts of the language. Upstream's runner accepts
    /// all of them.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn parse_with(name: &str, text: &[u8], features: &Features) -> Result<Script, Problems> {
        let source = utf8(name, text)?;
        let mut parser = Parser { features: *features, ..Parser::default() };
        for block in script_blocks(source) {
            match block.command() {
                ScriptCommand::Clear => {
                    parser.loader.clear();
                    parser.is_stage_current = false;
                }
                ScriptCommand::Load => {
                    parser.loader.load(&block);
                    parser.is_stage_current = false;
                }
                ScriptCommand::At => parser.loader.set_start(&block),
                ScriptCommand::Eval => parser.eval(&block, source),
                ScriptCommand::Unknown => parser.troubles.push(block.unknown_command()),
            }
        }
        let mut troubles = parser.troubles;
        troubles.extend(parser.loader.take_troubles());
        let warnings = report(name, text, troubles)?;
        Ok(Script {
            name: name.to_owned(),
            text: source.to_owned(),
            evals: parser.evals,
            stages: parser.stages,
            warnings,
        })
    }
}

#[derive(Default)]
struct Parser {
    features: Features,
    loader: ScriptLoader,
    evals: Vec<Eval>,
    stages: Vec<Stage>,
    /// Whether the last stage has the series that are loaded.
    is_stage_current: bool,
    troubles: Vec<Trouble>,
}

impl Parser {
    fn eval(&mut self, block: &ScriptBlock<'_>, source: &str) {
        let Some(head) = head::parse(block.head, &mut self.troubles) else { return };
        let expectations = expect::parse(&block.lines, head.suffix, head.time, &mut self.troubles);
        let expression = &source[head.expression.clone()];
        let query = match compile(expression, &self.features) {
            Ok(query) => query,
            Err(errors) => {
                let start = head.expression.start;
                let place = |range: Range<usize>| start + range.start..start + range.end;
                let errors = Trouble::from_errors(&errors, expression.len(), place);
                return self.troubles.extend(errors);
            }
        };
        let Some(time) = head.time.map(|time| time.after(self.loader.start())) else { return };
        if !self.is_stage_current {
            let stage = Stage { storage: self.loader.storage(), places: self.loader.places() };
            self.stages.push(stage);
            self.is_stage_current = true;
        }
        self.evals.push(Eval {
            line: block.head.number,
            place: block.head.place(),
            expression: expression.to_owned(),
            time,
            suffix: head.suffix,
            expectations,
            query,
            stage: self.stages.len() - 1,
        });
    }
}
