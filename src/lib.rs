//! nodeglass shows, in a terminal, what a Kubernetes cluster's nodes are doing, what they cost by the hour, and why
//! they come and go. It only ever reads: get, list and watch.
//!
//! Everything that happens is a [`model::Change`], or a [`pricing::PriceNews`] from the price sources; one owner folds both
//! into a [`cluster::Cluster`]; every screen, report and answer is a pure function of it.
//!
//! ```text
//!  live watches ─┐                        ┌─▶ ui       frames on the terminal
//!  scenario file ┼─▶ Change ─▶ Cluster ───┼─▶ output   table · json · csv, once
//!  demo fleet ───┘             ▲  │       └─▶ insight  filter · order · groups · what is shown
//!                    PriceNews │  │ Demand
//!                              │  ▼
//!                         price sources
//! ```
//!
//! The rooms, each of which uses only those above it:
//!
//! | room | what it is for |
//! |---|---|
//! | [`units`] | leaf values: quantity, money, age, natural order, safe text |
//! | [`model`] | the vocabulary: Node, Pod, NodeClaim, NodePool, Event … and Change |
//! | [`pricing`] | what a node is to the bill, and what that costs, without I/O |
//! | [`cluster`] | the state: fold a change, keep every sum by delta |
//! | [`insight`] | pure answers over the state: filter, order, groups, the shown set |
//! | [`source`] | where changes come from: live watches, the demo, scenario files; and prices: AWS's files and answers |
//! | [`ui`] | the screen: state and cluster in, cells out; key → action → update |
//! | [`output`] | one-shot reports |
//! | [`cli`] | flags as typed, settings as meant |
//! | [`app`] | the loop: terminal session, signals, pace of frames |

pub mod app;
pub mod cli;
pub mod cluster;
pub mod insight;
pub mod model;
pub mod output;
pub mod pricing;
pub mod source;
pub mod ui;
pub mod units;
