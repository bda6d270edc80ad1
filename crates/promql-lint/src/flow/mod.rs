//! What is known of the result of an expression without any data.
