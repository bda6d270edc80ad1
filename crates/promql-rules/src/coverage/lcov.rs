//! Coverage in the tracefile format of lcov, which services that show coverage read.
//!
//! A rule is a function, a point is a branch of its line, and a line counts as often as the point on
//! it that was exercised most.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Coverage, FileCoverage};

/// All files in the format of lcov.
pub fn lcov(coverage: &Coverage) -> String {
    let mut out = String::new();
    coverage.files().for_each(|file| write_file(&mut out, file));
    out
}

fn write_file(out: &mut String, file: &FileCoverage) {
    let text = &file.file.file.text;
    let starts: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1).collect();
    let line = |at: usize| starts.partition_point(|start| *start <= at) + 1;
    let _ = writeln!(out, "TN:\nSF:{}", file.file.file.name);
    let rules = file.rules();
    let mut lines: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut functions, mut counts, mut branches) = (String::new(), String::new(), String::new());
    let (mut entered, mut exercised, mut all) = (0, 0, 0);
    for (number, rule) in rules.iter().enumerate() {
        // Names are unique within a file, and those of rules need not be.
        let name = format!("{}#{number}", rule.rule.name);
        let evaluations = rule.points.first().map_or(0, |point| point.count);
        let _ = writeln!(functions, "FN:{},{name}", line(rule.span.start));
        let _ = writeln!(counts, "FNDA:{evaluations},{name}");
        entered += usize::from(evaluations > 0);
        for (branch, point) in rule.points.iter().enumerate() {
            let line = line(point.span.start);
            let known = lines.entry(line).or_default();
            *known = point.count.max(*known);
            let taken = match evaluations {
                0 => "-".to_owned(),
                _ => point.count.to_string(),
            };
            let _ = writeln!(branches, "BRDA:{line},{number},{branch},{taken}");
            all += 1;
            exercised += usize::from(point.count > 0);
        }
    }
    let _ = write!(out, "{functions}{counts}FNF:{}\nFNH:{entered}\n", rules.len());
    let _ = write!(out, "{branches}BRF:{all}\nBRH:{exercised}\n");
    for (line, count) in &lines {
        let _ = writeln!(out, "DA:{line},{count}");
    }
    let hit = lines.values().filter(|count| **count > 0).count();
    let _ = write!(out, "LF:{}\nLH:{hit}\nend_of_record\n", lines.len());
}
