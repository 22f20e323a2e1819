//! Routing groups whose targets fail: which target serves, what the client sees of it, what it
//! costs, and that no hold is left behind.
//!
//! [`matrix`] is the whole table of faults at the first of two targets; the other files hold what a
//! single request cannot show: who is tried when, what happens when nobody answers, how load is
//! shared.

mod balance;
mod crowd;
mod endings;
mod faults;
mod group;
mod health;
mod load;
mod matrix;
mod nowhere;
mod signs;
