//! A grid of character cells to draw lines on.
//!
//! With Braille characters a cell has two by four dots, so that lines come out fine; where only
//! ASCII can be shown a cell is one dot, drawn as the line's marker.

use super::STYLES;

/// What a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyph {
    /// The character.
    pub char: char,
    /// The number of the line that it belongs to, below [`STYLES`].
    pub style: usize,
}

/// The markers by which lines are told apart.
pub const MARKERS: [char; STYLES] = ['●', '■', '▲', '◆', '○', '□', '△', '◇'];
/// The same in ASCII.
pub const ASCII_MARKERS: [char; STYLES] = ['*', '+', 'o', 'x', '#', '@', '%', '&'];

/// A canvas.
#[derive(Clone, Debug)]
pub struct Canvas {
    columns: usize,
    rows: usize,
    unicode: bool,
    /// Bits of the dots that are set in a cell, in the order of Unicode's Braille patterns.
    dots: Vec<u8>,
    /// The line that drew last in a cell.
    styles: Vec<u8>,
    markers: Vec<bool>,
}

/// The bit of each dot of a cell, by row and column.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// An empty canvas of so many cells.
    pub fn new(columns: usize, rows: usize, unicode: bool) -> Canvas {
        let cells = columns.saturating_mul(rows);
        Canvas {
            columns,
            rows,
            unicode,
            dots: vec![0; cells],
            styles: vec![0; cells],
            markers: vec![false; cells],
        }
    }

    /// The number of dots in a row.
    pub fn width(&self) -> usize {
        self.columns * if self.unicode { 2 } else { 1 }
    }

    /// The number of dots in a column.
    pub fn height(&self) -> usize {
        self.rows * if self.unicode { 4 } else { 1 }
    }

    /// The dot for a place given as shares of the width (from the left) and height (from the
    /// bottom), each from 0 to 1.
    pub fn dot(&self, across: f64, up: f64) -> (i64, i64) {
        let x = across * (self.width() as f64 - 1.0);
        let y = (1.0 - up) * (self.height() as f64 - 1.0);
        (x.round() as i64, y.round() as i64)
    }

    /// Draws a straight line from dot to dot, ends included. Dots outside are left out.
    pub fn line(&mut self, from: (i64, i64), to: (i64, i64), style: usize) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).max(1);
        for i in 0..=steps {
            let along =
                |start: i64, delta: i64| start + (2 * delta * i + steps).div_euclid(2 * steps);
            self.set(along(from.0, dx), along(from.1, dy), style);
        }
    }

    fn set(&mut self, x: i64, y: i64, style: usize) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width() || y >= self.height() {
            return;
        }
        let (column, row, bit) = match self.unicode {
            true => (x / 2, y / 4, BITS[y % 4][x % 2]),
            false => (x, y, 1),
        };
        let cell = row * self.columns + column;
        self.dots[cell] |= bit;
        self.styles[cell] = (style % STYLES) as u8;
    }

    /// Puts the line's marker over a cell, unless another line's marker is there.
    pub fn mark(&mut self, dot: (i64, i64), style: usize) {
        let (per_column, per_row) = if self.unicode { (2, 4) } else { (1, 1) };
        let (Ok(x), Ok(y)) = (usize::try_from(dot.0), usize::try_from(dot.1)) else { return };
        let (column, row) = (x / per_column, y / per_row);
        if column >= self.columns || row >= self.rows {
            return;
        }
        let cell = row * self.columns + column;
        if !self.markers[cell] {
            self.markers[cell] = true;
            self.styles[cell] = (style % STYLES) as u8;
        }
    }

    /// What a cell shows, if anything.
    pub fn glyph(&self, column: usize, row: usize) -> Option<Glyph> {
        let cell = row * self.columns + column;
        let style = usize::from(*self.styles.get(cell)?);
        let dots = self.dots[cell];
        let char = match (self.markers[cell], self.unicode) {
            (true, true) => MARKERS[style],
            (true, false) => ASCII_MARKERS[style],
            (false, _) if dots == 0 => return None,
            (false, true) => char::from_u32(0x2800 + u32::from(dots))?,
            (false, false) => ASCII_MARKERS[style],
        };
        Some(Glyph { char, style })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(canvas: &Canvas) -> Vec<String> {
        let cell = |c, r| canvas.glyph(c, r).map_or(' ', |g| g.char);
        (0..canvas.rows).map(|r| (0..canvas.columns).map(|c| cell(c, r)).collect()).collect()
    }

    #[test]
    fn lines_of_dots() {
        let mut canvas = Canvas::new(4, 2, true);
        canvas.line(canvas.dot(0.0, 0.0), canvas.dot(1.0, 1.0), 0);
        assert_eq!(show(&canvas), ["  ⡠⠊", "⡠⠊  "]);
        canvas.mark((0, 7), 1);
        assert_eq!(show(&canvas), ["  ⡠⠊", "■⠊  "]);
    }

    #[test]
    fn lines_of_ascii() {
        let mut canvas = Canvas::new(5, 3, false);
        canvas.line(canvas.dot(0.0, 0.0), canvas.dot(1.0, 1.0), 0);
        canvas.line(canvas.dot(0.0, 1.0), canvas.dot(1.0, 1.0), 1);
        assert_eq!(show(&canvas), ["+++++", "  ** ", "**   "]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut canvas = Canvas::new(2, 1, true);
        canvas.line((-5, 0), (50, 0), 0);
        canvas.mark((99, 99), 0);
        canvas.mark((-1, 0), 0);
        assert_eq!(show(&canvas), ["⠉⠉"]);
        assert_eq!(show(&Canvas::new(0, 0, true)), Vec::<String>::new());
    }
}
