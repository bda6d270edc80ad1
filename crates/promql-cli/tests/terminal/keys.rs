//! The keys of a session, one after the other.

use crate::terminal::{Terminal, below_prompt};

#[test]
fn f1_says_what_stands_at_the_cursor_and_leaves_the_line() {
    let Some(terminal) = Terminal::of_fixture(100, 40) else { return };
    terminal.text("sum(rate(http_requests_total[5m]))");
    terminal.keys(&["Home", "Right", "Right", "Right", "Right", "F1"]);
    terminal.see("Per-second rate at which a counter increased");
    terminal.wait("the line", |screen| {
        below_prompt(screen).starts_with("❯ sum(rate(http_requests_total[5m]))")
    });
    terminal.shows("help at the cursor", "Per-second rate at which a counter increased");
    // The cursor is where it was.
    terminal.text("i");
    terminal.see("❯ sum(irate(");
    terminal.interrupt();
    terminal.text("\\watch");
    terminal.keys(&["F1"]);
    terminal.see("Asks again and again");
}

#[test]
fn f2_f3_and_f4_look_at_the_line_in_other_ways() {
    let Some(terminal) = Terminal::of_fixture(90, 45) else { return };
    terminal.enter("\\set pager off", "❯");
    terminal.text("sum(http_requests_total)");
    terminal.keys(&["F2"]);
    terminal.see("streamed from");
    terminal.shows_in_color("the line explained", "❯ sum(http_requests_total)");
    terminal.keys(&["C-l", "F3"]);
    terminal.shows_in_color("the line as a graph", "1 series · ");
    terminal.keys(&["C-l", "F4"]);
    terminal.see("{}  17700");
    terminal
        .wait("the line", |screen| below_prompt(screen).starts_with("❯ sum(http_requests_total)"));
    // Without text the last answer is meant.
    terminal.interrupt();
    terminal.enter("up [[2m:1m]]", "2 series · ");
    terminal.keys(&["F4"]);
    terminal.see("time (UTC)");
}

#[test]
fn a_line_is_written_in_an_editor() {
    let Some(terminal) = Terminal::with("EDITOR='sed -i s/nobody/up/'") else { return };
    terminal.text("count(nobody");
    terminal.keys(&["C-x", "C-e"]);
    terminal.see("❯ count(up");
    terminal.text(")");
    terminal.keys(&["Enter"]);
    terminal.see("1 series · ");
}

#[test]
fn an_editor_that_fails_leaves_the_line() {
    let Some(terminal) = Terminal::with("EDITOR=false") else { return };
    terminal.text("count(up");
    terminal.keys(&["C-x", "C-e"]);
    terminal.see("`false` failed");
    terminal.wait("the line", |screen| below_prompt(screen).starts_with("❯ count(up"));
    terminal.shows("an editor that failed", "❯ count(up");
}

#[test]
fn the_history_is_searched_for_letters() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.enter("sum(rate(http_requests_total[5m]))", "1 series · ");
    terminal.enter("count(up)", "❯ ");
    terminal.enter("sum(rate(http_requests_total[1m]))", "{}  40");
    terminal.text("left");
    terminal.keys(&["C-r"]);
    terminal.see("history ❯ left");
    terminal.keys(&["C-u"]);
    terminal.text("rqst rate");
    terminal.see("history ❯ rqst rate\n❯ sum(rate(http_requests_total[1m]))");
    terminal.shows_in_color("a search in the history", "http_requests_total[1m]");
    terminal.keys(&["Down"]);
    terminal.see("\n❯ sum(rate(http_requests_total[5m]))");
    terminal.keys(&["Enter"]);
    let screen = terminal.wait("the chosen one", |screen| {
        below_prompt(screen).starts_with("❯ sum(rate(http_requests_total[5m]))")
    });
    // Of the search nothing is left.
    assert!(!screen.contains("history ❯"), "{screen}");
    // Who leaves it has the line as it was.
    terminal.keys(&["C-r"]);
    terminal.see("history ❯");
    terminal.keys(&["Escape"]);
    terminal.wait("the line", |screen| {
        !screen.contains("history ❯")
            && below_prompt(screen).starts_with("❯ sum(rate(http_requests_total[5m]))")
    });
    terminal.keys(&["Enter"]);
    terminal.see("{}  39");
}

#[test]
fn arrows_go_to_what_begins_as_the_line_does() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    for (at, line) in ["sum(up)", "count(up)", "sum(up) + 1", "max(up)"].into_iter().enumerate() {
        terminal.text(line);
        terminal.keys(&["Enter"]);
        terminal.wait("an answer", |screen| screen.matches("1 series · ").count() > at);
    }
    terminal.text("sum");
    terminal.keys(&["Up"]);
    terminal.wait("the last", |screen| below_prompt(screen).starts_with("❯ sum(up) + 1"));
    terminal.keys(&["Up"]);
    terminal.wait("the first", |screen| {
        below_prompt(screen).trim_end().lines().next() == Some("❯ sum(up)")
    });
    terminal.interrupt();
    terminal.keys(&["Up", "Up", "Up"]);
    terminal.wait("the third", |screen| below_prompt(screen).starts_with("❯ count(up)"));
}

#[test]
fn a_suggestion_is_taken_whole_or_by_words() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.enter("count(http_requests_total) + 1", "1 series · ");
    terminal.text("cou");
    terminal.shows_in_color("a suggestion", "❯ count(http_requests_total) + 1");
    terminal.keys(&["M-f"]);
    terminal.text("_1");
    terminal.see("❯ count_1");
    terminal.keys(&["C-u"]);
    terminal.text("cou");
    terminal.keys(&["C-e"]);
    terminal.text(" + 2");
    terminal.see("❯ count(http_requests_total) + 1 + 2");
    terminal.interrupt();
    terminal.enter("\\describe up", "example");
    terminal.text("count by (job) ");
    terminal.keys(&["M-."]);
    terminal.see("❯ count by (job) up");
}

#[test]
fn what_was_asked_goes_into_the_clipboard() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.tmux(&["set", "-g", "set-clipboard", "on"]);
    let buffer = || String::from_utf8(terminal.tmux(&["show-buffer"]).stdout).unwrap();
    terminal.enter("count(up)", "1 series · ");
    terminal.enter("\\copy expr", "the expression went to the clipboard");
    assert_eq!(buffer(), "count(up)");
    terminal.enter("\\copy", "the answer went to the clipboard: 5 characters");
    assert_eq!(buffer(), "{}  2\n");
    terminal.enter("\\copy csv", "2 lines");
    assert_eq!(buffer(), "timestamp,value\n1970-01-01T00:10:00Z,2\n");
    terminal.enter("\\copy url", "is no server and has no pages");
}

#[test]
fn options_are_kept_for_later_sessions() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.enter("\\set maxrows 7", "❯");
    terminal.enter("\\set units bytes/s", "❯");
    terminal.enter("\\set --save", "later sessions begin so");
    terminal.keys(&["C-d"]);
    terminal.see("ended with 0");
    let Some(later) = terminal.beside() else { return };
    later.enter("\\set", "tolerance");
    later.shows("options that were kept", "tolerance");
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    // All at once, as a slow connection brings it.
    let typed = (1..=5).map(|i| format!("sum(up) * {i}\r")).collect::<String>();
    terminal.text(&typed);
    terminal.see("{}  10");
    assert_eq!(terminal.screen().matches("1 series · ").count(), 5, "{}", terminal.screen());
}

#[test]
fn garbage_that_is_pasted_ends_nothing() {
    let Some(terminal) = Terminal::of_fixture(100, 30) else { return };
    terminal.paste(b"\x00\x01\x1b[31mred\x1b]0;title\x07\xff\xfe\xc3(\x7f");
    terminal.see("is no UTF-8");
    terminal.interrupt();
    terminal.enter("count(up)", "1 series · ");
}
