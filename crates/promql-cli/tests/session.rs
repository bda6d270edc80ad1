//! The session on a terminal: keys in, screen out. The terminal is tmux; without it the tests say that
//! they skip.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod terminal;

use std::time::{Duration, Instant};

use terminal::{FIXTURE, Terminal, below_prompt, impostor, live};

#[test]
fn names_are_completed_by_what_the_place_wants() {
    let Some(terminal) = Terminal::start(100, 30, FIXTURE) else { return };
    terminal.see("http.test ❯");
    terminal.text("sum(ra");
    terminal.see("rate  ");
    terminal.keys(&["Tab"]);
    // The list is in the line below while it is written.
    terminal.see("❯ sum(rate(");
    terminal.text("http_");
    terminal.keys(&["Tab"]);
    terminal.see("❯ sum(rate(http_requests_total[5m]");
    terminal.text("))");
    terminal.keys(&["Enter"]);
    let screen = terminal.see("1 series · ");
    assert!(screen.contains("{}  39"), "{screen}");
}

#[test]
fn labels_and_values_are_those_of_the_metric() {
    let Some(terminal) = Terminal::start(100, 30, FIXTURE) else { return };
    terminal.see("❯");
    // What the labels are is asked in the background; Tab waits for it a moment.
    terminal.text("http_requests_total{co");
    terminal.keys(&["Tab"]);
    terminal.see("❯ http_requests_total{code");
    terminal.text("=\"5");
    terminal.keys(&["Tab"]);
    terminal.see("❯ http_requests_total{code=\"500\"");
    terminal.text("}");
    terminal.keys(&["Enter"]);
    let screen = terminal.see("2 series · ");
    assert!(screen.contains("common: http_requests_total{code=\"500\", job=\"api\"}"), "{screen}");
}

#[test]
fn tab_opens_a_list_with_a_few_words_about_each() {
    let Some(terminal) = Terminal::start(80, 24, FIXTURE) else { return };
    terminal.see("❯");
    terminal.text("sum(http_re");
    terminal.keys(&["Tab"]);
    let screen = terminal.see("❯ sum(http_requests_total");
    assert!(screen.contains("❯ http_requests_total  "), "{screen}");
    assert!(screen.contains("  http_request_duration_seconds_bucket  buckets"), "{screen}");
    terminal.keys(&["Tab"]);
    let screen = terminal.see("❯ sum(http_request_duration_seconds");
    assert!(screen.contains("\n❯ http_request_duration_seconds"), "{screen}");
    assert!(screen.contains("\n  http_requests_total  "), "{screen}");
    // What is written next closes it.
    terminal.text("[");
    let screen = terminal.see("[\n");
    assert!(!screen.contains("http_requests_total  "), "{screen}");
}

#[test]
fn the_labels_of_an_operand_behind_the_cursor_are_offered() {
    let Some(terminal) = Terminal::start(100, 30, FIXTURE) else { return };
    terminal.see("❯");
    let text = "sum by () (rate(http_requests_total[5m]))";
    terminal.text(text);
    for _ in 0.."(rate(http_requests_total[5m])) )".len() {
        terminal.keys(&["Left"]);
    }
    terminal.text("co");
    terminal.keys(&["Tab"]);
    terminal.see("sum by (code) (rate(http_requests_total[5m]))");
    terminal.keys(&["Enter"]);
    terminal.see("2 series · ");
}

#[test]
fn what_is_unfinished_goes_on_in_the_next_line() {
    let Some(terminal) = Terminal::start(100, 30, FIXTURE) else { return };
    terminal.see("❯");
    terminal.text("sum(rate(http_requests_total[5m");
    terminal.keys(&["Enter"]);
    terminal.text("]))");
    terminal.keys(&["Enter"]);
    let screen = terminal.see("1 series · ");
    assert!(screen.contains("{}  39"), "{screen}");
}

#[test]
fn a_range_is_a_graph_and_can_be_shown_otherwise() {
    let Some(terminal) = Terminal::start(90, 40, FIXTURE) else { return };
    terminal.see("❯");
    let screen =
        terminal.enter("sum by (code) (rate(http_requests_total[1m])) [[5m:1m]]", "2 series · ");
    assert!(screen.contains('┤'), "{screen}");
    let screen = terminal.enter("\\table", "time (UTC)");
    assert!(screen.contains("1970-01-01 00:06:00"), "{screen}");
    terminal.enter("\\csv", "code,timestamp,value");
}

#[test]
fn mistakes_are_shown_before_enter_and_commands_are_helpful() {
    let Some(terminal) = Terminal::start(100, 40, FIXTURE) else { return };
    terminal.see("❯");
    terminal.text("rate(up)");
    terminal.see("error: expected type range vector");
    terminal.interrupt();
    terminal.enter("\\conect", "do you mean \\connect?");
    terminal.enter("up{job=\"nope\"}", "nothing is selected by `up{job=\"nope\"}`");
    terminal.enter("\\help rate", "Native histograms.");
    terminal.enter("\\fmt sum(up)by(job)", "❯ sum by (job) (up)");
    terminal.keys(&["Enter"]);
    terminal.see("1 series · ");
}

#[test]
fn history_is_kept_by_sessions_that_are_killed_and_holds_no_secrets() {
    let Some(one) = Terminal::start(100, 30, FIXTURE) else { return };
    let Some(other) =
        Terminal::start_in(100, 30, FIXTURE, format!("{}-other", one.socket), one.folder.clone())
    else {
        return;
    };
    one.see("❯");
    other.see("❯");
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
    let Some(terminal) = Terminal::start(100, 30, FIXTURE) else { return };
    terminal.see("❯");
    terminal.text("\\watch 100ms count(up)");
    terminal.keys(&["Enter"]);
    terminal.see("value");
    terminal.interrupt();
    terminal.wait("a prompt", |screen| below_prompt(screen).trim() == "❯");
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
    terminal.enter("1 +", "❯");
    terminal.interrupt();
    terminal.enter("\\c corpus/fixtures/http.test", "asking corpus/fixtures/http.test");
    terminal.enter("count(up)", "1 series · ");
}

#[test]
fn text_that_is_pasted_waits_for_enter() {
    let Some(terminal) = Terminal::start(100, 40, FIXTURE) else { return };
    terminal.see("❯");
    let pasted = "sum by (code) ( # by code\n  rate(http_requests_total[5m])\n)\n";
    let path = terminal.folder.join("paste");
    std::fs::write(&path, pasted).unwrap();
    terminal.tmux(&["load-buffer", path.to_str().unwrap()]);
    terminal.tmux(&["paste-buffer", "-p"]);
    terminal.see("rate(http_requests_total[5m])");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!terminal.screen().contains("2 series"), "{}", terminal.screen());
    terminal.keys(&["Enter"]);
    terminal.see("2 series · ");
}

#[test]
fn a_live_server_completes_describes_and_watches() {
    let folder = std::env::temp_dir().join(format!("promql-live-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let Some((_exporter, _server, port)) = live(&folder) else { return };
    // The session begins before the server answers anything.
    let arguments = format!("repl -s http://127.0.0.1:{port}");
    let Some(terminal) = Terminal::start(110, 45, &arguments) else { return };
    terminal.see(&format!("127.0.0.1:{port} ❯"));
    let mut tries = 0;
    while !terminal.screen().contains("1 series · ") {
        terminal.text("up == 1");
        terminal.keys(&["Enter"]);
        std::thread::sleep(Duration::from_secs(1));
        tries += 1;
        assert!(tries < 60, "the server doesn't scrape:\n{}", terminal.screen());
    }
    terminal.enter("\\refresh", "❯");
    std::thread::sleep(Duration::from_secs(3));
    terminal.text("rate(node_cpu_se");
    terminal.keys(&["Tab"]);
    terminal.see("❯ rate(node_cpu_seconds_total[5m]");
    terminal.interrupt();
    terminal.text("node_cpu_seconds_total{mo");
    std::thread::sleep(Duration::from_secs(1));
    terminal.keys(&["Tab"]);
    terminal.text("=\"id");
    std::thread::sleep(Duration::from_secs(1));
    terminal.keys(&["Tab"]);
    terminal.see("node_cpu_seconds_total{mode=\"idle\"");
    terminal.interrupt();
    let screen = terminal.enter("\\describe node_cpu_seconds_total", "such as");
    assert!(screen.contains("kind    counter"), "{screen}");
    terminal.enter("\\metrics node_load", "1m load average");
    let screen = terminal.enter("\\rules", "job:up:count");
    assert!(screen.contains("count by (job) (up)"), "{screen}");
    terminal.enter("\\alerts", "job=\"node\"");
    let screen = terminal.enter("\\targets", "last scrape");
    assert!(screen.contains(" s ago"), "{screen}");
    terminal.enter("up", "1 sample · ");
    terminal.enter("\\stats", "looked at     1 sample,");
    terminal.enter("\\url", &format!("http://127.0.0.1:{port}/graph?g0.expr=up&g0.tab=1"));
    terminal.enter("\\exemplars up", "no exemplar");
    terminal.text("\\watch 200ms time()");
    terminal.keys(&["Enter"]);
    terminal.see("▲");
    terminal.interrupt();
    terminal.enter("count(up)", "1 series · ");
    drop(terminal);
    let _ = std::fs::remove_dir_all(folder);
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
    terminal.see("❯");
    let screen = terminal.enter("up", "2 series · ");
    assert!(screen.contains("\\x1b]0;owned\\x07\\x1b[2Jx"), "{screen}");
    assert!(screen.contains("l\\u{202e}r"), "{screen}");
    terminal.text("up{a=\"");
    terminal.keys(&["Tab"]);
    terminal.see("❯ up{a=\"\\x1b]0;owned");
    drop(terminal);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn servers_that_answer_nonsense_or_nothing_break_nothing() {
    let page = impostor(Some("<html><head><title>\u{1b}[31mLogin</title></head></html>"));
    let silent = impostor(None);
    let Some(terminal) = Terminal::start(100, 40, &format!("repl -s http://127.0.0.1:{page}"))
    else {
        return;
    };
    terminal.see("❯");
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
}

#[test]
fn what_was_captured_gives_the_same_answer() {
    let Some(terminal) = Terminal::start(100, 40, FIXTURE) else { return };
    terminal.see("❯");
    let file = terminal.folder.join("captured.test");
    let file = file.display();
    terminal.enter("sum(rate(http_requests_total[5m]))", "{}  39");
    terminal.enter(&format!("\\capture {file}"), "captured.test");
    terminal.enter(&format!("\\load {file}"), "from now on");
    terminal.enter("sum(rate(http_requests_total[5m])) + 1000", "{}  1039");
}
