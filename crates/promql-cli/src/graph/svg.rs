//! A scene as an SVG image: one file, no script, no font of its own.

use std::fmt::Write;

use super::{STYLES, Scene, time_ticks};
use crate::render::number;
use crate::visible;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 30.0;
const LEGEND_LINE: f64 = 18.0;

/// Colours that people with any kind of colour vision can tell apart (the palette of Okabe and Ito,
/// with a grey for its yellow, which white paper swallows).
const COLORS: [&str; STYLES] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#888888"];

/// Draws the scene with its axes and a legend under it.
pub fn draw(scene: &Scene, title: &str) -> String {
    let height = HEIGHT + 50.0 + LEGEND_LINE * scene.lines.len() as f64;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    label(&mut out, LEFT, 18.0, "start", title);
    let x = |time: i64| LEFT + scene.across(time) * (WIDTH - LEFT - RIGHT);
    if let Some(axis) = scene.value_axis(5) {
        let y = |value: f64| TOP + (1.0 - axis.up(value)) * (HEIGHT - TOP);
        for (value, text) in &axis.ticks {
            rule(&mut out, (LEFT, y(*value)), (WIDTH - RIGHT, y(*value)));
            label(&mut out, LEFT - 8.0, y(*value) + 4.0, "end", text);
        }
        let columns = ((WIDTH - LEFT - RIGHT) / 7.0) as usize;
        for (time, text) in time_ticks::ticks(scene.start, scene.end, &scene.zone, columns) {
            rule(&mut out, (x(time), TOP), (x(time), HEIGHT));
            label(&mut out, x(time), HEIGHT + 18.0, "middle", &text);
        }
        for (number, line) in scene.lines.iter().enumerate() {
            let color = COLORS[number % STYLES];
            for segment in line.segments(scene.gap) {
                if let [(time, value)] = segment {
                    let (x, y) = (x(*time), y(*value));
                    let _ = writeln!(
                        out,
                        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"{color}\"/>"
                    );
                    continue;
                }
                let points = segment.iter().map(|(t, v)| format!("{:.1},{:.1}", x(*t), y(*v)));
                let points = points.collect::<Vec<_>>().join(" ");
                let _ = writeln!(
                    out,
                    "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" \
                     points=\"{points}\"/>"
                );
            }
        }
    }
    for (number, line) in scene.lines.iter().enumerate() {
        let y = HEIGHT + 44.0 + LEGEND_LINE * number as f64;
        let color = COLORS[number % STYLES];
        let _ = writeln!(
            out,
            "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{color}\"/>",
            y - 9.0
        );
        let last = line.points.last().map(|(_, v)| number::short(*v, 4, scene.binary));
        let text = format!("{}  {}", line.name, last.unwrap_or_default());
        label(&mut out, LEFT + 18.0, y, "start", &text);
    }
    out.push_str("</svg>\n");
    out
}

fn rule(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn label(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
        xml(text)
    );
}

/// Text between tags. Characters that XML doesn't allow at all are shown as escapes.
fn xml(text: &str) -> String {
    let text = visible::escape(text);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
