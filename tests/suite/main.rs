//! Every integration test, in one binary: one link, one start.

mod access;
mod architecture;
mod cli;
mod demo;
mod dependencies;
mod doctor;
mod extra_costs;
mod file_graph;
mod fold;
mod frames;
mod hostile;
mod looping;
mod one_shot;
mod packaging;
mod pending;
mod price_run;
mod prices;
mod pricing;
mod pty;
mod readme;
mod scenarios;
mod support;
mod watch;
mod wire;
