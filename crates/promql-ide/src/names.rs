//! Long lists of names, and how well a pattern fits one of them.
//!
//! A server may know a hundred thousand metrics and a label a million values, and a list of matches
//! has to appear while somebody types. So names lie in one string, sorted: those that begin with the
//! pattern are found by bisection. For the others each name carries a set of the characters in it, which
//! rules out most of them with one comparison of numbers.
//!
//! How names rank is part of what this program promises (a prefix before the beginnings of words, those
//! before the rest), so the matching is done here and not by a general matcher: a hundred lines, without
//! anything to configure.

use std::cmp::Reverse;
use std::ops::Range;

/// Sorted names, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    text: String,
    /// Where each name ends.
    ends: Vec<u32>,
    /// The characters of each name.
    sets: Vec<u32>,
    is_cut: bool,
}

/// How well a pattern fits a name, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// The name is the pattern.
    Same,
    /// It begins with the pattern.
    Prefix,
    /// The pattern begins a word in it, or is made of the beginnings of its words.
    Words,
    /// The pattern is in it.
    Inside,
    /// The characters of the pattern are in it, in their order.
    Scattered,
}

/// The longest text that a list holds, in bytes; names behind it are left out and the list is cut.
const MOST_TEXT: usize = u32::MAX as usize;

/// How many of the names that begin with the pattern are ranked, and how many others are compared with
/// it. With more than these nobody finds what they look for in the list anyway, but has to write on.
const MOST_RANKED: usize = 200_000;
const MOST_COMPARED: usize = 20_000;

impl Names {
    /// Names in any order.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Names {
        let mut sorted: Vec<N> = names.into_iter().collect();
        sorted.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
        sorted.dedup_by(|a, b| a.as_ref() == b.as_ref());
        let mut out = Names::default();
        for name in &sorted {
            out.push(name.as_ref());
        }
        out
    }

    /// Says that there are more than these, as a server does that was asked for so many at most.
    #[must_use]
    pub fn cut(mut self) -> Names {
        self.is_cut = true;
        self
    }

    /// Whether there are more than these.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    fn push(&mut self, name: &str) {
        if self.text.len() + name.len() > MOST_TEXT {
            self.is_cut = true;
            return;
        }
        self.text.push_str(name);
        // Fits: the text is no longer than the largest such number.
        self.ends.push(self.text.len() as u32);
        self.sets.push(characters(name.as_bytes()));
    }

    /// These and others. What was cut stays cut.
    #[must_use]
    pub fn with(&self, others: &Names) -> Names {
        let mut out = Names::new(self.iter().chain(others.iter()));
        out.is_cut |= self.is_cut;
        out
    }

    /// All but one.
    #[must_use]
    pub fn without(&self, name: &str) -> Names {
        match self.contains(name) {
            false => self.clone(),
            true => {
                let mut out = Names::new(self.iter().filter(|other| *other != name));
                out.is_cut = self.is_cut;
                out
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at a position; nothing behind the last.
    pub fn get(&self, at: usize) -> &str {
        let start =
            at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        &self.text[start as usize..end as usize]
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Whether a name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.get(self.partition(|other| other < name)) == name && !self.is_empty()
    }

    /// The first position where something that holds at the beginning of the list doesn't hold.
    fn partition(&self, holds: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match holds(self.get(middle)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The positions of the names that begin with a prefix, in the case that is written.
    pub fn beginning_with(&self, prefix: &str) -> Range<usize> {
        let start = self.partition(|name| name < prefix);
        let end = self.partition(|name| name < prefix || name.starts_with(prefix));
        start..end.max(start)
    }

    /// The names that a pattern fits best, as positions, in the order of their fit and then of `rank`,
    /// where what is larger comes first; then short names before long ones. At most `most` of them.
    pub fn search<R: Ord>(
        &self,
        pattern: &str,
        most: usize,
        rank: impl Fn(usize) -> R,
    ) -> Vec<(usize, Fit)> {
        let prefixed = self.beginning_with(pattern);
        let mut best = Best::new(most);
        for at in prefixed.clone().take(MOST_RANKED) {
            let name = self.get(at);
            let fit = if name.len() == pattern.len() { Fit::Same } else { Fit::Prefix };
            // Without a pattern short names are no better than others.
            let length = if pattern.is_empty() { 0 } else { name.len() };
            best.offer((fit, Reverse(rank(at)), length, at));
        }
        if best.is_full() || pattern.is_empty() {
            return best.into_positions();
        }
        let set = characters(pattern.as_bytes());
        let mut compared = 0;
        let possible = self.sets.iter().enumerate().filter(|(_, has)| **has & set == set);
        for (at, _) in possible.filter(|(at, _)| !prefixed.contains(at)) {
            let name = self.get(at);
            if let Some(fit) = fit(pattern, name) {
                best.offer((fit, Reverse(rank(at)), name.len(), at));
            }
            compared += 1;
            if compared == MOST_COMPARED {
                break;
            }
        }
        best.into_positions()
    }
}

/// One of the names that fit, as it is compared: smaller is better.
type Found<R> = (Fit, Reverse<R>, usize, usize);

/// The best of many.
struct Best<R: Ord> {
    found: std::collections::BinaryHeap<Found<R>>,
    most: usize,
}

impl<R: Ord> Best<R> {
    fn new(most: usize) -> Best<R> {
        Best { found: std::collections::BinaryHeap::with_capacity(most.min(1024) + 1), most }
    }

    fn offer(&mut self, one: Found<R>) {
        if self.found.len() < self.most {
            self.found.push(one);
        } else if let Some(mut worst) = self.found.peek_mut()
            && one < *worst
        {
            *worst = one;
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    fn into_positions(self) -> Vec<(usize, Fit)> {
        self.found.into_sorted_vec().into_iter().map(|(fit, _, _, at)| (at, fit)).collect()
    }
}

/// The set of characters of a name: a bit for each letter in either case, one for all digits, and some
/// for what else occurs in names.
fn characters(name: &[u8]) -> u32 {
    name.iter().fold(0, |set, byte| {
        set | 1
            << match byte {
                b'a'..=b'z' => byte - b'a',
                b'A'..=b'Z' => byte - b'A',
                b'0'..=b'9' => 26,
                b'_' => 27,
                b':' | b'.' => 28,
                b'-' | b'/' => 29,
                0x80.. => 30,
                _ => 31,
            }
    })
}

/// How well a pattern fits a name, if it does. Case doesn't count.
///
/// ```
/// use promql_ide::{Fit, fit};
/// assert_eq!(fit("http", "http_requests_total"), Some(Fit::Prefix));
/// assert_eq!(fit("req", "http_requests_total"), Some(Fit::Words));
/// assert_eq!(fit("hrt", "http_requests_total"), Some(Fit::Words));
/// assert_eq!(fit("quest", "http_requests_total"), Some(Fit::Inside));
/// assert_eq!(fit("hqs", "http_requests_total"), Some(Fit::Scattered));
/// assert_eq!(fit("xyz", "http_requests_total"), None);
/// ```
pub fn fit(pattern: &str, name: &str) -> Option<Fit> {
    let (wanted, has) = (pattern.as_bytes(), name.as_bytes());
    if wanted.len() > has.len() {
        return None;
    }
    if has[..wanted.len()].eq_ignore_ascii_case(wanted) {
        return Some(if wanted.len() == has.len() { Fit::Same } else { Fit::Prefix });
    }
    let begins_word = |at: usize| {
        at == 0
            || has[at].is_ascii_alphanumeric() && !has[at - 1].is_ascii_alphanumeric()
            || has[at].is_ascii_uppercase() && has[at - 1].is_ascii_lowercase()
    };
    let mut inside = false;
    for at in 1..=has.len() - wanted.len() {
        if has[at..at + wanted.len()].eq_ignore_ascii_case(wanted) {
            if begins_word(at) {
                return Some(Fit::Words);
            }
            inside = true;
        }
    }
    if of_words(wanted, has, begins_word) {
        return Some(Fit::Words);
    }
    if inside {
        return Some(Fit::Inside);
    }
    let mut rest = has.iter();
    let in_order = wanted.iter().all(|w| rest.any(|h| h.eq_ignore_ascii_case(w)));
    in_order.then_some(Fit::Scattered)
}

/// Whether a pattern is made of beginnings of words, each as long as it goes.
fn of_words(wanted: &[u8], has: &[u8], begins_word: impl Fn(usize) -> bool) -> bool {
    let mut left = wanted;
    let mut at = 0;
    while let Some((next, rest)) = left.split_first() {
        let continues = at > 0 && has.get(at).is_some_and(|h| h.eq_ignore_ascii_case(next));
        let place = match continues {
            true => Some(at),
            false => {
                (at..has.len()).find(|i| begins_word(*i) && has[*i].eq_ignore_ascii_case(next))
            }
        };
        let Some(place) = place else { return false };
        at = place + 1;
        left = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &Names, pattern: &str, most: usize) -> Vec<String> {
        let found = names.search(pattern, most, |_| 0);
        found.into_iter().map(|(at, _)| names.get(at).to_owned()).collect()
    }

    #[test]
    fn the_best_come_first() {
        let names =
            Names::new(["node_load1", "up", "node_load15", "reload_total", "node_l", "NODE_L"]);
        assert_eq!(names.len(), 6);
        assert!(names.contains("up") && !names.contains("u") && !names.contains("zz"));
        assert_eq!(found(&names, "node_l", 9), ["NODE_L", "node_l", "node_load1", "node_load15"]);
        assert_eq!(found(&names, "load", 9), ["node_load1", "node_load15", "reload_total"]);
        assert_eq!(found(&names, "nl1", 1), ["node_load1"]);
        assert_eq!(found(&names, "", 2), ["NODE_L", "node_l"]);
        assert_eq!(found(&Names::default(), "x", 2), [""; 0]);
    }

    #[test]
    fn what_ranks_higher_comes_before_what_is_shorter() {
        let names = Names::new(["abc", "ab", "abcd"]);
        let found = names.search("a", 9, |at| usize::from(names.get(at) == "abcd"));
        let found: Vec<&str> = found.iter().map(|(at, _)| names.get(*at)).collect();
        assert_eq!(found, ["abcd", "ab", "abc"]);
    }

    #[test]
    fn lists_are_put_together() {
        let names = Names::new(["b", "a"]).cut().with(&Names::new(["c", "a"]));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(names.is_cut());
        assert_eq!(names.without("b").len(), 2);
        assert!(names.without("b").is_cut());
        assert_eq!(names.beginning_with("b"), 1..2);
    }
}
