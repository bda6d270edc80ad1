//! Whether two patterns have a text in common: the product of their automata.

use std::collections::HashSet;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, Look};

use super::hir::HirTree;
use super::parse;

/// How much memory one automaton may take here, in bytes.
const MEMORY: usize = 1 << 20;

/// Whether no text matches both of two patterns, each anchored at both ends. `None` when that is not
/// found out within `max_states` states of the product, or when one is no regular expression.
///
/// ```
/// use promql_model::regexes_are_disjoint;
/// assert_eq!(regexes_are_disjoint(b"api-.*", b"web-.*", 4096), Some(true));
/// assert_eq!(regexes_are_disjoint(b".*-eu", b"web-.*", 4096), Some(false));
/// assert_eq!(regexes_are_disjoint(b"(", b"a", 4096), None);
/// ```
pub fn regexes_are_disjoint(a: &[u8], b: &[u8], max_states: usize) -> Option<bool> {
    let (a, b) = (automaton(a)?, automaton(b)?);
    let bytes = representatives(&a, &b);
    let start = (start(&a)?, start(&b)?);
    let mut seen = HashSet::from([start]);
    let mut open = vec![start];
    while let Some((in_a, in_b)) = open.pop() {
        let ends = (a.next_eoi_state(in_a), b.next_eoi_state(in_b));
        if a.is_match_state(ends.0) && b.is_match_state(ends.1) {
            return Some(false);
        }
        for &byte in &bytes {
            let next = (a.next_state(in_a, byte), b.next_state(in_b, byte));
            if a.is_quit_state(next.0) || b.is_quit_state(next.1) {
                return None;
            }
            if a.is_dead_state(next.0) || b.is_dead_state(next.1) || !seen.insert(next) {
                continue;
            }
            if seen.len() > max_states {
                return None;
            }
            open.push(next);
        }
    }
    Some(true)
}

fn automaton(pattern: &[u8]) -> Option<dense::DFA<Vec<u32>>> {
    let mut tree = HirTree::new(false);
    parse::parse(pattern, &mut tree).ok()?;
    let whole = Hir::concat(vec![Hir::look(Look::Start), tree.finish().0, Hir::look(Look::End)]);
    let config =
        thompson::Config::new().nfa_size_limit(Some(MEMORY)).which_captures(WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(&whole).ok()?;
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(MEMORY))
        .determinize_size_limit(Some(4 * MEMORY));
    dense::Builder::new().configure(config).build_from_nfa(&nfa).ok()
}

fn start(automaton: &dense::DFA<Vec<u32>>) -> Option<StateID> {
    automaton.start_state_forward(&Input::new("").anchored(Anchored::Yes)).ok()
}

/// One byte of each class of those that neither automaton tells apart.
fn representatives(a: &dense::DFA<Vec<u32>>, b: &dense::DFA<Vec<u32>>) -> Vec<u8> {
    let (a, b) = (a.byte_classes(), b.byte_classes());
    let mut classes = HashSet::new();
    (0..=u8::MAX).filter(|&byte| classes.insert((a.get(byte), b.get(byte)))).collect()
}
