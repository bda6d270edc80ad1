//! Errors as diagnostics.
