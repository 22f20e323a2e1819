//! Why a reservation or a raise was refused: which limit, and what stands in it.

use crate::{
    clock::Timestamp,
    error::{Error, Kind},
    ledger::window::Window,
    limit::{Limit, LimitUnit, Scope, WindowKind, display_in_unit},
};

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// What was spent leaves no room for the least this request needs: waiting is no use.
    Reached,
    /// There would be room but for the holds of other requests.
    Held,
}

/// The limit that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What stands in the way.
    pub reason: Reason,
    /// The rule as it was at that moment; its amount is the cap.
    pub limit: Limit,
    /// Which window of it.
    pub window: Window,
    /// Spent there, in the limit's unit; with what the refused request itself holds, when it asked
    /// for more.
    pub spent: i64,
    /// Held there by other requests that run, in the limit's unit.
    pub held: i64,
    /// When the window ends; `None` = never.
    pub resets_at: Option<Timestamp>,
}

impl Refusal {
    /// The error the caller gets. Amounts are told only of the caller's own key, member and
    /// session; of a project or organisation only which limit it is and when it resets.
    pub fn to_error(&self) -> Error {
        let what = match self.limit.unit {
            LimitUnit::Cost => "spending limit",
            LimitUnit::Requests => "request limit",
            LimitUnit::Tokens => "token limit",
        };
        let whose = match self.limit.scope {
            Scope::Organization(_) => "the organization's",
            Scope::Project(_) => "this project's",
            Scope::Member(_) => "your",
            Scope::ApiKey(_) => "this key's",
            Scope::AgentSession(_) => "this session's",
        };
        let resets = self
            .resets_at
            .map_or_else(|| "never".to_owned(), |at| at.to_string());
        let (kind, state, advice) = match self.reason {
            Reason::Reached => (Kind::LimitReached, "reached", self.advice_when_reached()),
            Reason::Held => (
                Kind::LimitHeld,
                "held by running requests",
                "try again when they have ended, or ask an admin to raise it",
            ),
        };
        let window = self.limit.window;
        let limit = self.figures(whose, window);
        let error = Error::new(
            kind,
            format!("{what} {state}: {limit}; resets {resets}; {advice}"),
        );
        match self.resets_at {
            Some(at) => error.with_resets_at(at),
            None => error,
        }
    }

    fn figures(&self, whose: &str, window: WindowKind) -> String {
        let show = |value| display_in_unit(self.limit.unit, value);
        match self.limit.scope {
            Scope::Organization(_) | Scope::Project(_) => format!("{whose} {window} limit"),
            Scope::Member(_) | Scope::ApiKey(_) | Scope::AgentSession(_) => {
                let (cap, spent) = (self.limit.display_amount(), show(self.spent));
                let held = match self.reason {
                    Reason::Reached => String::new(),
                    Reason::Held => format!(", held {}", show(self.held)),
                };
                format!("{whose} {window} {cap} (spent {spent}{held})")
            }
        }
    }

    fn advice_when_reached(&self) -> &'static str {
        match self.limit.scope {
            Scope::AgentSession(_) => "ask an admin or start a new session",
            Scope::Organization(_) | Scope::Project(_) | Scope::Member(_) | Scope::ApiKey(_) => {
                "ask an admin to raise it"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AgentSessionId, OrganizationId},
        limit::LimitAction,
    };

    fn refusal(scope: Scope, unit: LimitUnit, reason: Reason) -> Refusal {
        let limit = Limit {
            scope,
            window: WindowKind::Total,
            unit,
            amount: 20_000_000_000,
            action: LimitAction::Block,
        };
        Refusal {
            reason,
            limit,
            window: Window::Total,
            spent: 19_870_000_000,
            held: 130_000_000,
            resets_at: None,
        }
    }

    #[test]
    fn an_own_limit_is_told_with_its_figures() {
        let session = Scope::AgentSession(AgentSessionId::from_bytes([1; 16]));
        let error = refusal(session, LimitUnit::Cost, Reason::Reached).to_error();
        assert_eq!(error.kind(), Kind::LimitReached);
        assert_eq!(
            error.message(),
            "spending limit reached: this session's total $20.00 (spent $19.87); resets never; \
             ask an admin or start a new session"
        );
        let error = refusal(session, LimitUnit::Cost, Reason::Held).to_error();
        assert_eq!(error.kind(), Kind::LimitHeld);
        assert!(error.message().contains("(spent $19.87, held $0.13)"));
    }

    #[test]
    fn an_organizations_figures_stay_its_own() {
        let organization = Scope::Organization(OrganizationId::from_bytes([1; 16]));
        let mut refusal = refusal(organization, LimitUnit::Tokens, Reason::Reached);
        refusal.resets_at = Some("2026-12-01T00:00:00Z".parse().unwrap());
        let error = refusal.to_error();
        assert_eq!(
            error.message(),
            "token limit reached: the organization's total limit; resets 2026-12-01T00:00:00Z; \
             ask an admin to raise it"
        );
        assert_eq!(error.resets_at(), refusal.resets_at);
    }
}
