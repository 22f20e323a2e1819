//! The ledger: accounts, holds and windows as a pure state machine (`docs/ledger.md`).
//!
//! A request *holds* an [`Amount`](crate::amount::Amount) in every account that a limit opens for
//! it, all or nothing, before anything is sent; what it really used is *settled* and becomes an
//! immutable [`Entry`]. Three parts, none of which performs I/O or reads a clock:
//!
//! - [`book`] admits in process: one [`OrgBook`] per organisation, behind one mutex of the caller;
//! - [`authority`] decides what the store writes: each request ends once, whoever says so;
//! - [`exposure`] and [`estimate`] say how much a request must hold and when it must hold more.
//!
//! The one rule: after a reserve or a raise, `posted + spent + held ≤ ceiling` in every account.

pub mod account;
mod accounts;
pub mod authority;
pub mod book;
pub mod cover;
pub mod entry;
pub mod estimate;
pub mod exposure;
pub mod hold;
mod recent;
pub mod refusal;
mod rule;
pub mod waiting;
pub mod window;

pub use account::{AccountKey, AccountRow, Opening, Position};
pub use accounts::{Crossed, LimitState, Limits};
pub use book::{OrgBook, Outcome, Outdated, Reserve};
pub use cover::Cover;
pub use entry::{Entry, EntryKind, Fact, FactKind, Flags};
pub use hold::{Grant, HoldError, HoldKey, RaiseError, Settled};
pub use refusal::{Reason, Refusal};
pub use waiting::{WaitEnd, WaiterKey};
pub use window::{Period, Window};
