//! Scenarios: the real parts against the simulator, on a clock that only the test moves.

mod blind;
mod graph;
mod house;
mod objects;
mod restart;
mod story;
