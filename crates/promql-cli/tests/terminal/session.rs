//! Sessions: what is typed, what is offered, what is answered.

use std::time::{Duration, Instant};

use crate::servers::impostor;
use crate::terminal::{Terminal, below_prompt};

#[test]
fn names_are_completed_by_what_the_place_wants() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.text("sum(ra");
    terminal.shows_in_color("names while they are written", "rate  ");
    terminal.keys(&["Tab"]);
    // The list is in the line below while it is written.
    terminal.see("❯ sum(rate(");
    terminal.text("http_");
    terminal.keys(&["Tab"]);
    terminal.shows_in_color("counters inside rate", "❯ sum(rate(http_requests_total[5m]");
    terminal.text("))");
    terminal.keys(&["Enter"]);
    terminal.shows_in_color("an answer of one series", "1 series · ");
}

#[test]
fn labels_and_values_are_those_of_the_metric() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    // What the labels are is asked in the background; Tab waits for it a moment.
    terminal.text("http_requests_total{co");
    terminal.see("code");
    terminal.keys(&["Tab"]);
    terminal.see("❯ http_requests_total{code");
    terminal.text("=\"5");
    terminal.keys(&["Tab"]);
    terminal.see("❯ http_requests_total{code=\"500\"");
    terminal.text("}");
    terminal.keys(&["Enter"]);
    terminal.shows_in_color("labels that all series share", "2 series · ");
}

#[test]
fn tab_opens_a_list_with_a_few_words_about_each() {
    let Some(terminal) = Terminal::of_fixture(80, 24) else { return };
    terminal.text("sum(http_re");
    terminal.see("http_requests_total  ");
    terminal.keys(&["Tab"]);
    terminal.shows_in_color("the list of Tab", "❯ sum(http_requests_total");
    terminal.keys(&["Tab"]);
    terminal.shows("the list of Tab, the next", "❯ sum(http_request_duration_seconds");
    // What is written next closes it.
    terminal.text("[");
    let screen = terminal.see("[\n");
    assert!(!screen.contains("http_requests_total  "), "{screen}");
}

#[test]
fn the_list_fits_a_small_terminal() {
    let Some(terminal) = Terminal::of_fixture(40, 8) else { return };
    terminal.text("http_re");
    terminal.see("http_requests_total  ");
    terminal.keys(&["Tab", "Tab", "Tab"]);
    terminal.shows_in_color("the list of Tab in a small terminal", "_count");
    terminal.keys(&["Escape"]);
    terminal.see("❯ http_re\n");
}

#[test]
fn the_labels_of_an_operand_behind_the_cursor_are_offered() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.text("sum by () (rate(http_requests_total[5m]))");
    for _ in 0.."(rate(http_requests_total[5m])) )".len() {
        terminal.keys(&["Left"]);
    }
    terminal.text("co");
    terminal.see("code\n");
    terminal.keys(&["Tab"]);
    terminal.see("sum by (code) (rate(http_requests_total[5m]))");
    terminal.keys(&["Enter"]);
    terminal.shows("labels of an operand behind the cursor", "2 series · ");
}

#[test]
fn what_is_unfinished_goes_on_in_the_next_line() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.text("sum(rate(http_requests_total[5m");
    terminal.keys(&["Enter"]);
    terminal.text("]))");
    terminal.shows_in_color("a statement of two lines", "]))");
    terminal.keys(&["Enter"]);
    terminal.shows("a statement of two lines, answered", "1 series · ");
}

#[test]
fn a_range_is_a_graph_and_can_be_shown_otherwise() {
    let Some(terminal) = Terminal::of_fixture(90, 40) else { return };
    terminal.text("sum by (code) (rate(http_requests_total[1m])) [[5m:1m]]");
    terminal.keys(&["Enter"]);
    terminal.shows_in_color("a range as a graph", "2 series · ");
    terminal.clear();
    terminal.enter("\\table", "time (UTC)");
    terminal.shows("a range as a table", "time (UTC)");
    terminal.enter("\\csv", "code,timestamp,value");
}

#[test]
fn mistakes_are_shown_before_enter_and_commands_are_helpful() {
    let Some(terminal) = Terminal::of_fixture(100, 40) else { return };
    terminal.text("rate(up)");
    terminal.shows_in_color("a mistake before Enter", "error: expected type range vector");
    terminal.interrupt();
    terminal.enter("\\conect", "do you mean \\connect?");
    terminal.enter("up{job=\"nope\"}", "nothing is selected by `up{job=\"nope\"}`");
    terminal.enter("rate(up)", "×");
    terminal.enter("sum(up) by", "×");
    terminal.interrupt();
    terminal.shows_in_color("mistakes after Enter", "×");
    terminal.enter("\\help rate", "Native histograms.");
    terminal.enter("\\fmt sum(up)by(job)", "❯ sum by (job) (up)");
    terminal.keys(&["Enter"]);
    terminal.see("1 series · ");
}

#[test]
fn a_metric_is_described() {
    let Some(terminal) = Terminal::of_fixture(60, 20) else { return };
    terminal.enter("\\d http_requests_total", "such as");
    terminal.shows("a description", "such as");
}

#[test]
fn history_is_kept_by_sessions_that_are_killed_and_holds_no_secrets() {
    let Some(one) = Terminal::of_fixture(100, 30) else { return };
    let Some(other) = one.beside() else { return };
    one.enter("count(up)", "1 series · ");
    other.enter("sum(up)", "1 series · ");
    one.enter("\\c http://me:hunter2@127.0.0.1:9/", "asking http://***@127.0.0.1:9/");
    one.text(" group(up)");
    one.keys(&["Enter"]);
    one.wait("an error", |screen| screen.matches('❯').count() > 3);
    // Nobody says goodbye.
    let killed =
        std::process::Command::new("kill").args(["-9", &one.process().to_string()]).status();
    assert!(killed.unwrap().success());
    one.see("ended with 137");
    let history = std::fs::read_to_string(one.folder.join("promql/history")).unwrap();
    let texts: Vec<&str> = history.lines().filter_map(|line| line.splitn(3, '\t').nth(2)).collect();
    assert_eq!(texts, ["count(up)", "sum(up)", "\\\\c http://***@127.0.0.1:9/"]);
    other.enter("\\history", "count(up)");
}

#[test]
fn ctrl_c_ends_what_is_under_way_and_ctrl_d_the_session() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.text("\\watch 100ms count(up)");
    terminal.keys(&["Enter"]);
    terminal.see("value");
    terminal.interrupt();
    terminal.wait("a prompt", |screen| below_prompt(screen).trim() == "❯");
    terminal.shows_in_color("a watch that was ended", "times");
    terminal.text("sum(");
    terminal.interrupt();
    terminal.enter("count(up)", "1 series · ");
    terminal.keys(&["C-d"]);
    terminal.see("ended with 0");
}

#[test]
fn a_server_that_does_not_answer_keeps_nobody_waiting() {
    // Nobody listens at this port.
    let Some(terminal) = Terminal::start(100, 30, "repl -s http://127.0.0.1:9") else { return };
    terminal.see("127.0.0.1:9 ❯");
    terminal.enter("up", "×");
    terminal.shows_in_color("nobody listens", "×");
    terminal.enter("1 +", "❯");
    terminal.interrupt();
    terminal.enter("\\c corpus/fixtures/http.test", "asking corpus/fixtures/http.test");
    terminal.enter("count(up)", "1 series · ");
}

#[test]
fn text_that_is_pasted_waits_for_enter() {
    let Some(terminal) = Terminal::of_fixture(100, 40) else { return };
    terminal.paste(b"sum by (code) ( # by code\n  rate(http_requests_total[5m])\n)\n");
    terminal.shows_in_color("pasted text", "rate(http_requests_total[5m])");
    terminal.keys(&["Enter"]);
    terminal.see("2 series · ");
}

#[test]
fn hostile_label_values_are_shown_and_obeyed_by_nobody() {
    let folder = std::env::temp_dir().join(format!("promql-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("hostile.prom");
    let text =
        "up{a=\"\u{1b}]0;owned\u{7}\u{1b}[2Jx\",b=\"l\u{202e}r\"} 1\nup{a=\"y\",b=\"z\"} 2\n";
    std::fs::write(&path, text).unwrap();
    let arguments = format!("repl -s {}", path.display());
    let Some(terminal) = Terminal::start(120, 30, &arguments) else { return };
    terminal.varying.borrow_mut().push((folder.display().to_string(), "FOLDER".to_owned()));
    terminal.enter("up", "2 series · ");
    terminal.text("up{a=\"");
    terminal.see("\\u{1b}]0;owned\\u{7}\\u{1b}[2Jx  y");
    terminal.keys(&["Tab"]);
    terminal.shows("hostile values", "❯ up{a=\"\\x1b]0;owned");
    drop(terminal);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn servers_that_answer_nonsense_or_nothing_break_nothing() {
    let page = impostor(Some("<html><head><title>\u{1b}[31mLogin</title></head></html>"));
    let silent = impostor(None);
    let arguments = format!("repl -s http://127.0.0.1:{page}");
    let Some(terminal) = Terminal::start(100, 40, &arguments) else { return };
    for port in [page, silent] {
        terminal.varying.borrow_mut().push((port.to_string(), "PPPPP".to_owned()));
    }
    let screen = terminal.enter("up", "answered with a web page");
    assert!(!screen.contains('\u{1b}'), "{screen}");
    terminal.enter(&format!("\\c http://127.0.0.1:{silent}"), "from now on");
    terminal.text("up");
    terminal.keys(&["Enter"]);
    std::thread::sleep(Duration::from_millis(700));
    let pressed = Instant::now();
    terminal.keys(&["C-c"]);
    terminal.see("cancelled");
    assert!(pressed.elapsed() < Duration::from_secs(2), "{:?}", pressed.elapsed());
    terminal.enter("\\c corpus/fixtures/http.test", "asking corpus/fixtures/http.test");
    terminal.enter("count(up)", "1 series · ");
    terminal.shows_in_color("servers that answer nonsense or nothing", "1 series · ");
}

#[test]
fn what_was_captured_gives_the_same_answer() {
    let Some(terminal) = Terminal::of_fixture(100, 40) else { return };
    let file = terminal.folder.join("captured.test");
    let file = file.display();
    terminal.enter("sum(rate(http_requests_total[5m]))", "{}  39");
    terminal.enter(&format!("\\capture {file}"), "captured.test");
    terminal.enter(&format!("\\load {file}"), "from now on");
    terminal.enter("sum(rate(http_requests_total[5m])) + 1000", "{}  1039");
}
