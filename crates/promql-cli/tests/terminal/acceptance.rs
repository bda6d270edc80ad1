//! What a session has to bear, scenario by scenario. Where it is about a screen the terminal is tmux.
//!
//! | scenario | tried by |
//! |---|---|
//! | 1 no network | `without_network_…`; the time to the first prompt: `benches/first_prompt.rs` |
//! | 2 completion inside `rate(` | `names_are_completed_…` in `session.rs` |
//! | 3 labels and values | `a_selector_…`, `a_part_of_an_alternation_…`, `labels_and_values_…` in `session.rs` |
//! | 4 text behind the cursor | `the_labels_of_an_operand_…` in `session.rs` |
//! | 5 unfinished text | `what_is_unfinished_…` in `session.rs` |
//! | 6 graph and other forms | `a_range_changes_its_form_…` |
//! | 7 an empty join | `an_empty_join_…` |
//! | 8 watching | `a_live_server_…` in `live.rs`, `watching_leaves_the_history_…` |
//! | 9 comparing with before | `an_hour_ago_…` |
//! | 10 a long paste | `sixty_pasted_lines_…` |
//! | 11 servers that answer nonsense | `servers_that_answer_…` in `session.rs`, `an_endless_answer_…` |
//! | 12 hostile values | `hostile_label_values_…` in `session.rs` |
//! | 13 two sessions, one killed | `history_is_kept_…` in `session.rs` |
//! | 14 a token in an address | `a_token_in_an_address_…` |
//! | 15 the same in a pipe | `a_script_has_the_same_data_…` |
//! | 16 many names | `a_large_server_…`, `promql-ide/benches/completion.rs`, `promql-ide/tests/memory.rs` |
//! | 17 a partial response | `a_partial_response_…` |
//! | 18 a captured fixture | `a_captured_fixture_…`, `what_was_captured_…` in `session.rs` |

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::servers::{endless, impostor, large};
use crate::terminal::{Terminal, below_prompt, workspace};

/// A session without a terminal.
fn piped(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_promql"))
        .arg("repl")
        .args(arguments)
        .current_dir(workspace())
        .env_remove("PROMQL_SOURCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn without_network_there_is_a_prompt_and_a_clear_error_and_the_session_lives() {
    // An address that nobody answers at: packets to it are lost.
    let Some(terminal) = Terminal::start(100, 30, "repl -s http://192.0.2.1:9090") else { return };
    terminal.see("192.0.2.1:9090 ❯");
    let asked = Instant::now();
    terminal.enter("up", "×");
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    terminal.enter("\\c corpus/fixtures/http.test", "asking corpus/fixtures/http.test");
    terminal.enter("count(up)", "1 series · ");
}

#[test]
fn a_selector_is_written_by_tabs_alone() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.text("http_requests_total{");
    terminal.see("code  instance");
    terminal.keys(&["Tab"]);
    terminal.shows("labels of a metric", "❯ http_requests_total{code");
    terminal.see("❯ http_requests_total{code");
    terminal.text("=\"");
    terminal.see("200  500");
    terminal.keys(&["Tab"]);
    terminal.see("❯ http_requests_total{code=\"200\"");
}

#[test]
fn a_part_of_an_alternation_is_completed() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.text("http_requests_total{code=~\"200|5");
    terminal.keys(&["Tab"]);
    terminal.see("{code=~\"200|500\"");
}

#[test]
fn a_range_changes_its_form_and_fits_a_terminal_that_changes_its_size() {
    let Some(terminal) = Terminal::of_fixture(90, 40) else { return };
    terminal.enter("\\set pager off", "❯");
    let screen = terminal.enter("up [[10m:30s]]", "2 series · ");
    assert!(screen.contains('┤'), "{screen}");
    terminal.enter("\\table", "time (UTC)");
    terminal.enter("\\csv", "__name__,instance,job,timestamp,value");
    assert!(terminal.tmux(&["resize-window", "-x", "50", "-y", "30"]).status.success());
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys(&["C-l"]);
    terminal.enter("\\graph", "series ");
    terminal.shows("a graph in a terminal that became small", "└┬");
    terminal.enter("\\x", "series 2 of 2");
}

#[test]
fn an_empty_join_names_the_label_and_can_be_mended() {
    let Some(terminal) = Terminal::of_fixture(110, 40) else { return };
    terminal.enter("http_requests_total / up", "`code` is on the left only: 200, 500");
    terminal.enter("\\why", "no two of them match");
    terminal.see("\\fix 1: `/ ignoring (code) group_left ()`");
    terminal.shows_in_color("why a join is empty", "no two of them match");
    terminal.text("\\fix 1");
    terminal.keys(&["Enter"]);
    terminal.see("❯ http_requests_total / ignoring (code) group_left () up");
    terminal.keys(&["Enter"]);
    terminal.see("4 series · ");
}

#[test]
fn watching_leaves_the_history_as_it_was() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.enter("count(up)", "1 series · ");
    terminal.text("\\watch 200ms sum(up)");
    terminal.keys(&["Enter"]);
    terminal.see("value");
    std::thread::sleep(Duration::from_millis(700));
    terminal.interrupt();
    terminal.wait("a prompt", |screen| below_prompt(screen).lines().count() == 1);
    terminal.keys(&["Up"]);
    terminal.see("❯ \\watch 200ms sum(up)");
    terminal.keys(&["Up"]);
    terminal.see("❯ count(up)");
}

#[test]
fn an_hour_ago_is_beside_now() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    let screen = terminal
        .enter("\\diff -5m sum by (code) (rate(http_requests_total[1m]))", "difference  relative");
    assert!(screen.contains("before"), "{screen}");
    assert!(screen.contains("{code=\"500\"}"), "{screen}");
    terminal.shows("two times compared", "difference  relative");
}

#[test]
fn sixty_pasted_lines_wait_for_enter_and_keep_their_comments() {
    let Some(terminal) = Terminal::of_fixture(100, 100) else { return };
    let lines: Vec<String> = (0..20)
        .map(|i| {
            format!("  rate(http_requests_total{{code=\"{}\"}}[5m])\n  # part {i}\n  or", 200 + i)
        })
        .collect();
    let pasted = format!("sum(\n{}\n  up\n)", lines.join("\n"));
    assert!(pasted.lines().count() > 60);
    let path = terminal.folder.join("paste");
    std::fs::write(&path, &pasted).unwrap();
    // First the command, then the text that is pasted behind it.
    terminal.text("\\fmt ");
    terminal.tmux(&["load-buffer", path.to_str().unwrap()]);
    terminal.tmux(&["paste-buffer", "-p"]);
    terminal.see("# part 19");
    std::thread::sleep(Duration::from_millis(500));
    let before = terminal.screen();
    assert_eq!(before.matches('❯').count(), 1, "{before}");
    terminal.keys(&["Enter"]);
    let screen = terminal.wait("the formatted text", |screen| screen.matches('❯').count() == 2);
    let formatted = below_prompt(&screen);
    assert!(formatted.contains("# part 0\n") && formatted.contains("# part 19"), "{formatted}");
    assert!(!screen.contains("series · "), "{screen}");
    terminal.keys(&["Enter"]);
    terminal.see("1 series · ");
}

#[test]
fn an_endless_answer_is_left_within_200_ms() {
    let arguments = format!("repl -s http://127.0.0.1:{}", endless());
    let Some(terminal) = Terminal::start(100, 30, &arguments) else { return };
    // The machine does other things at the same time, which can make it slower but not faster.
    let quickest = (1..=5).map(|round| {
        terminal.text("up");
        terminal.keys(&["Enter"]);
        std::thread::sleep(Duration::from_millis(800));
        let pressed = Instant::now();
        terminal.keys(&["C-c"]);
        while terminal.screen().matches("cancelled").count() < round {
            assert!(pressed.elapsed() < Duration::from_secs(5), "{}", terminal.screen());
        }
        pressed.elapsed()
    });
    let quickest = quickest.min().unwrap();
    assert!(quickest < Duration::from_millis(200), "{quickest:?}");
    terminal.enter("\\c corpus/fixtures/http.test", "from now on");
    terminal.enter("count(up)", "1 series · ");
}

#[test]
fn a_token_in_an_address_is_shown_nowhere() {
    let Some(terminal) = Terminal::of_fixture(100, 40) else { return };
    terminal.enter("\\c http://me:hunter2@127.0.0.1:9/?token=hunter2", "❯");
    terminal.enter("\\c http://me:hunter2@127.0.0.1:9/", "asking http://***@127.0.0.1:9/");
    let typed = terminal.screen().matches("hunter2").count();
    terminal.enter("up", "×");
    terminal.enter("\\sources", "***@127.0.0.1:9");
    terminal.enter("\\history", "\\c http://***@127.0.0.1:9");
    let screen = terminal.screen();
    // On the screen it is where it was typed, and nowhere else.
    assert_eq!(screen.matches("hunter2").count(), typed, "{screen}");
    let history = std::fs::read_to_string(terminal.folder.join("promql/history")).unwrap();
    assert!(!history.contains("hunter2"), "{history}");
}

#[test]
fn a_script_has_the_same_data_in_a_pipe() {
    let script = "sum by (code) (http_requests_total) | csv\n\nup [[2m:1m]] | csv\n";
    let output = piped(&["-s", "corpus/fixtures/http.test"], script);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert_eq!(text.lines().count(), 3 + 7, "{text}");
    let Some(terminal) = Terminal::of_fixture(100, 50) else { return };
    let mut screen = String::new();
    for (at, statement) in script.lines().filter(|line| !line.is_empty()).enumerate() {
        terminal.text(statement);
        terminal.keys(&["Enter"]);
        screen = terminal.wait("an answer", |s| s.matches("2 series · ").count() > at);
    }
    // The number of series stands there twice: the answer is whole with its last line.
    screen.push_str(&terminal.see(text.lines().last().unwrap()));
    let on_screen: Vec<&str> = screen.lines().map(str::trim_end).collect();
    for line in text.lines() {
        assert!(on_screen.contains(&line), "{line} is not on the screen:\n{screen}");
    }
}

#[test]
fn a_partial_response_is_loud_and_can_be_an_error() {
    let port = impostor(Some(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"a\":\"b\"},\
         \"value\":[1795428000,\"7\"]}]},\"warnings\":[\"receive series from store-eu-1: rpc error: \
         code = Unavailable\"]}",
    ));
    let source = format!("http://127.0.0.1:{port}");
    let output = piped(&["-s", &source, "-c", "up"], "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("receive series from store-eu-1"), "{error}");
    assert_eq!(output.status.code(), Some(0));
    let output = piped(&["-s", &source, "--warn-as-error", "-c", "up"], "");
    assert_eq!(output.status.code(), Some(1));
    let Some(terminal) = Terminal::start(100, 30, &format!("repl -s {source}")) else { return };
    let screen = terminal.enter("up", "1 series · ");
    assert!(screen.contains("⚠ receive series from store-eu-1"), "{screen}");
    // The footer says it again, below what may be a long table.
    assert!(screen.contains("1 series · 1 warning · "), "{screen}");
    terminal.varying.borrow_mut().push((port.to_string(), "PPPPP".to_owned()));
    terminal.shows_in_color("a partial response", "1 series · 1 warning · ");
}

#[test]
fn a_captured_fixture_gives_the_same_answers_to_the_last_digit() {
    let folder = std::env::temp_dir().join(format!("promql-captured-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("captured.test");
    let expression = "sum by (instance) (rate(http_requests_total{code=~\"5..\"}[5m])) / 3";
    let capture = format!("\\capture {} {expression}", file.display());
    let output = piped(&["-s", "corpus/fixtures/http.test", "-c", &capture], "");
    assert!(output.status.success(), "{output:?}");
    let asked = format!("{expression} | json");
    let answer = |source: &str| {
        let output = piped(&["-s", source, "-c", &asked], "");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let original = answer("corpus/fixtures/http.test");
    assert!(original.contains("\"instance\":\"api-2:8080\""), "{original}");
    assert_eq!(answer(file.to_str().unwrap()), original);
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_server_is_known_in_less_than_300_mb() {
    let arguments = format!("repl -s http://127.0.0.1:{}", large());
    let Some(terminal) = Terminal::start(120, 30, &arguments) else { return };
    terminal.text("service7_requests_7_to");
    terminal.see("service7_requests_7_total  ");
    terminal.keys(&["Tab"]);
    terminal.see("❯ service7_requests_7_total");
    terminal.interrupt();
    // All of the million values are fetched. Without a metric in front no key looks through the 100,000 names,
    // which takes long where nothing is optimised.
    for label in 10..60 {
        terminal.text(&format!("{{label_{label}=\"label_{label}-value-00ab"));
        terminal.see(&format!("label_{label}-value-00ab0  label_{label}-value-00ab1"));
        terminal.keys(&["C-c"]);
        terminal.wait("a new line", |screen| below_prompt(screen).trim() == "❯");
    }
    let path = format!("/proc/{}/status", terminal.process());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let peak: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 300_000, "{peak} kB");
}
