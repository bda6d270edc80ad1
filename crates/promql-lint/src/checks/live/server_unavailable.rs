//! `server-unavailable` (L000).

use crate::check::declare_check;

declare_check! {
    /// Says what could not be asked of the server that `--source` names: it isn't there or doesn't want to be
    /// asked, lacks a part of the API, or was asked as much as `--max-requests` and `--max-seconds` allow.
    ///
    /// ## Why it matters
    /// A check that could not ask says nothing, which looks as if all were well. There is one finding for a
    /// run, at the first rule that it is about; the most important rules are asked about first. `server-errors`
    /// under `[lint.live]` makes an error or nothing of it.
    ///
    /// ## Examples
    /// ```text server
    /// fails the connection was refused
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///          ^^^^ the server can't be asked, so 1 check say nothing
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - record: job:up:sum
    ///           ^^^^^^^^^^ the server can't be asked, so 1 check say nothing
    ///   expr: sum by (job) (up)
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: critical}
    /// ```
    /// A server that has no metadata:
    /// ```text server
    /// lacks metadata
    /// load 1m
    ///   requests_total{job="shop"} 0+1x10
    /// ```
    /// ```yaml bad
    /// - alert: Busy
    ///          ^^^^ info: 1 check could not ask all they wanted about 1 rule
    ///   expr: rate(requests_total[5m]) > 100
    /// ```
    /// Nothing is asked about it here, so that it doesn't matter:
    /// ```yaml good
    /// - alert: Busy
    ///   expr: count(requests_total) > 100
    /// ```
    /// A server that has all that is asked for:
    /// ```text server
    /// load 1m
    ///   up{job="shop"} 1x10
    ///   requests_total{job="shop"} 0+1x10
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: Busy
    ///   expr: rate(requests_total[5m]) > 100
    /// ```
    "L000" "server-unavailable" Warning, Observed, fix: Never, Elsewhere
}
