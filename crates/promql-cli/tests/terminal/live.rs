//! Sessions that ask a Prometheus which scrapes a node_exporter: what varies from one machine and one moment
//! to the next is not looked at, or replaced.

use crate::servers::Live;

#[test]
fn a_live_server_completes_describes_and_watches() {
    let Some(live) = Live::start("live") else { return };
    let Some(terminal) = live.session(110, 45) else { return };
    terminal.clear();
    terminal.text("rate(node_cpu_se");
    terminal.see("node_cpu_seconds_total");
    terminal.keys(&["Tab"]);
    terminal.see("❯ rate(node_cpu_seconds_total[5m]");
    terminal.interrupt();
    terminal.text("node_cpu_seconds_total{mo");
    terminal.see("mode\n");
    terminal.keys(&["Tab"]);
    terminal.text("=\"id");
    terminal.see("idle\n");
    terminal.keys(&["Tab"]);
    terminal.see("node_cpu_seconds_total{mode=\"idle\"");
    terminal.interrupt();
    let screen = terminal.enter("\\describe node_cpu_seconds_total", "such as");
    assert!(screen.contains("kind    counter"), "{screen}");
    terminal.enter("up", "1 sample · ");
    terminal.enter("\\stats", "looked at     1 sample,");
    terminal.enter("\\url", &format!("http://127.0.0.1:{}/graph?g0.expr=up&g0.tab=1", live.port));
    terminal.enter("\\exemplars up", "no exemplar");
    terminal.text("\\watch 200ms time()");
    terminal.keys(&["Enter"]);
    terminal.see("▲");
    terminal.interrupt();
    terminal.enter("count(up)", "1 series · ");
}

#[test]
fn the_screens_of_a_live_server() {
    let Some(live) = Live::start("screens") else { return };
    let Some(terminal) = live.session(120, 30) else { return };
    terminal.clear();
    // The others of the exporter's metrics differ from machine to machine.
    terminal.text("sum(node_load1");
    terminal.see("node_load1  node_load15");
    terminal.keys(&["Tab"]);
    terminal.shows_in_color("live, the list of Tab", "1m load average");
    terminal.interrupt();
    terminal.clear();
    terminal.enter("\\describe up", "such as");
    terminal.shows("live, a description", "such as");
    terminal.clear();
    terminal.enter("\\rules", "job:up:count");
    terminal.enter("\\alerts", "job=\"node\"");
    terminal.enter("\\targets", "last scrape");
    terminal.shows_columns("live, rules and alerts and targets", "last scrape");
    terminal.clear();
    // What is computed from the time alone is the same on all machines.
    let range = "[[2026-11-23T10:00:00Z .. 2026-11-23T11:00:00Z : 1m]]";
    terminal.enter("\\set pager off", "❯");
    terminal.clear();
    terminal.text(&format!("(vector(time()) % 1200) * 3 > 600 {range}"));
    terminal.keys(&["Enter"]);
    terminal.shows_in_color("live, a graph", "1 series · ");
    terminal.clear();
    terminal.text("up / on (job, instance) job:up:count");
    terminal.keys(&["Enter"]);
    terminal.shows_in_color("live, an empty join", "0 series · ");
}
