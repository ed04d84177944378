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
//!
//! Inside a room, files use one another in one direction as well: no cycle, and those of `cluster`, `insight`, `ui` and
//! `output` in the order that `tests/suite/architecture.rs` lists. A room's `mod.rs` only declares and re-exports.
//!
//! # Glossary
//!
//! One word for one thing, in identifiers, comments, screens and documents. Words of Kubernetes, Karpenter, AWS and `FinOps`
//! mean here what they mean there. JSON fields, CSV columns, flags and filter keys keep the names they were published with.
//!
//! | term | meaning | type |
//! |---|---|---|
//! | node | a Kubernetes `Node` object | [`model::Node`] |
//! | instance | the cloud provider's machine behind a node; text does not call it a machine | [`pricing::Offer`] |
//! | NodeClaim, claim | Karpenter's request for one instance; *claim* in identifiers, *NodeClaim* in text | [`model::NodeClaim`] |
//! | NodePool, nodepool | Karpenter's `NodePool` object; *nodepool* as a column, a filter key or an identifier, also for the node group of another provider; never *pool* alone | [`model::NodePool`] |
//! | row | a line of the table: a node, a claim, or a node with its claim, joined by provider ID | [`cluster::Row`] |
//! | provisioner | what creates the cluster's nodes: Karpenter, EKS Auto Mode, or neither | [`model::Provisioner`] |
//! | pending pod | a pod without a node | [`cluster::PodState`] |
//! | starting, running, terminating pod | a pod with a node: its containers are not all started; they are; it was deleted and is still there | [`cluster::PodState`] |
//! | requests, limits | what the pods of a node request, and may use at most, by the API server's own sums | [`model::Resources`] |
//! | usage | what metrics-server measured | [`model::Usage`] |
//! | allocatable | what a node has for pods | [`model::Resources`] |
//! | free | allocatable minus requests | |
//! | DaemonSet share | the part of requests that belongs to DaemonSet pods and static pods. *Overhead* is only a pod's `spec.overhead` | [`cluster::Row`] |
//! | idle | allocatable that no pod requests, in dollars (OpenCost's word); `unrequested` in JSON and CSV | [`insight::Waste`] |
//! | over-requested | requested and not used, in dollars; `unused` in JSON and CSV | [`insight::Waste`] |
//! | capacity type | how an instance is bought: on-demand, spot, reserved, … | [`pricing::CapacityType`] |
//! | offer | what a node is to the bill: instance type, region, operating system, tenancy, capacity type | [`pricing::Offer`] |
//! | instance price | the hourly price of an instance alone | [`pricing::Quote`] |
//! | fee | the hourly EKS Auto Mode management fee on top of it | [`pricing::Quote`] |
//! | quote | a node's hourly price with its parts, its discount and its price source | [`pricing::Quote`] |
//! | price source | where a price comes from: a label, a price file, the Pricing API, the built-in table, … | [`pricing::PriceSource`] |
//! | estimate | a derived price, marked `~`; an unmarked price is one that AWS publishes or the user set | [`pricing::Mark`] |
//! | unknown | a price, usage or capacity that is not known: shown as such, never as zero, and totals count it | [`pricing::Unknown`] |
//! | stream | the list and watch of one kind of object: syncing, synced, error, forbidden, not installed | [`model::Stream`] |
//! | event lane | the group an event is filtered by: scheduling, nodes, disruption, … | [`cluster::Lane`] |
//! | leaving | a node that is on its way out, and the reason for it | [`cluster::Leaving`] |
//! | alert | a condition that a user should look at, above the table | [`insight::Alert`] |
//! | cause | why a pod is pending, from its scheduler's and provisioner's messages | [`insight::Cause`] |
//! | verdict | the one-line answer of an explanation or of `doctor`; its reasons follow it | |

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
