//! The frames of one conversation, both ways at once.
//!
//! Each way is a loop of its own, so that a side that is slow to take delays nobody but who sends
//! to it; what they share is locked for moments. Pings are answered on each side by itself. The
//! conversation is over when either side closes or goes, when a limit ends a turn, when the caller
//! may not call any more, or at its deadline.

use super::{
    Socket,
    ending::{End, broken, rejected},
    message::{edited, payload},
    seat::{Seat, Turn},
    standing::Standing,
    state::{State, bare},
    turns::Turns,
};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tollgate_core::error::{Error, Kind};
use tollgate_wire::{
    edit::Edit,
    facts::RequestFacts,
    objects::made_in_frame,
    socket::{FromClient, FromServer, Named, conversation},
};

/// How often the clock is looked at: the caller's standing, the deadline, silent turns.
const TICK: Duration = Duration::from_secs(1);

/// How long the last words to a side may take.
const FAREWELL_TIME: Duration = Duration::from_secs(5);

/// Why nothing more is relayed, and whether the frame that says so is the client's to see.
struct Stop {
    error: Error,
    shown: bool,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self { error, shown: true }
    }
}

struct Talk {
    seat: Seat,
    deadline: Instant,
    state: Mutex<State>,
    to_client: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    to_upstream: tokio::sync::Mutex<SplitSink<Socket, Message>>,
}

/// Relays until the conversation is over, and settles what it used.
pub(super) async fn converse(seat: Seat, standing: Standing, (client, upstream): (Socket, Socket)) {
    let model = seat.endpoint.model.clone().unwrap_or_default();
    let Some(conversation) = conversation(seat.endpoint.format, &model) else {
        return;
    };
    let deadline = standing.exchange.deadline();
    let (to_client, from_client) = client.split();
    let (to_upstream, from_upstream) = upstream.split();
    let talk = Talk {
        seat,
        deadline,
        state: Mutex::new(State {
            conversation,
            turns: Turns::default(),
            standing,
            beginning: Vec::new(),
            model,
            output_cap: None,
        }),
        to_client: to_client.into(),
        to_upstream: to_upstream.into(),
    };
    let end = tokio::select! {
        end = talk.hear_client(from_client) => end,
        end = talk.hear_upstream(from_upstream) => end,
        end = talk.watch() => end,
    };
    talk.finish(end).await;
}

impl Talk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hear_client(&self, mut frames: SplitStream<Socket>) -> End {
        while let Some(frame) = frames.next().await {
            let message = match frame {
                Ok(Message::Close(words)) => return End::ClientClosed(words),
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => message,
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(_gone) => return End::ClientGone,
            };
            match self.clients(message).await {
                Ok(Some(message)) => {
                    if let Err(error) = self.to_upstream.lock().await.send(message).await {
                        return End::Ours(broken(&error.to_string()));
                    }
                }
                Ok(None) => {}
                Err(end) => return end,
            }
        }
        End::ClientGone
    }

    /// What goes upstream for a client's frame: itself, or nothing when it is refused.
    async fn clients(&self, message: Message) -> Result<Option<Message>, End> {
        let read = self.state().conversation.client(payload(&message));
        match read {
            Ok(FromClient::Pass) => Ok(Some(message)),
            Ok(FromClient::Adds { input, other_model }) => {
                let taken = self.state().add(&self.seat, input, other_model);
                let Err(refusal) = taken else {
                    return Ok(Some(message));
                };
                self.say(&refusal, "").await;
                Ok(None)
            }
            Ok(FromClient::Names(named)) => self.named(message, named).map(Some),
            Ok(FromClient::Asks { lane, event, facts }) => {
                self.asked(message, (lane, event), *facts).await
            }
            Err(error) => {
                self.say(&error, "").await;
                Ok(None)
            }
        }
    }

    /// The conversation's model: it must be one that the caller may use, and has a price, and there
    /// must be room for a first turn.
    fn named(&self, message: Message, named: Named) -> Result<Message, End> {
        let mut state = self.state();
        let facts = RequestFacts {
            model: named.model.clone(),
            ..bare()
        };
        let planned = self.seat.planned(&state.standing.exchange, &facts);
        let sent_model = planned.map_err(End::Ours)?.attempt.model;
        state.output_cap = named.output_cap;
        state.model.clone_from(&named.model);
        state
            .add(&self.seat, named.input, None)
            .map_err(End::Ours)?;
        drop(state);
        let resource = self.seat.resource(&sent_model);
        if payload(&message).get(named.span.clone()) == Some(resource.as_bytes()) {
            return Ok(message);
        }
        let with = serde_json::to_string(&resource).unwrap_or_default();
        let with = Bytes::from(with.trim_matches('"').to_owned());
        let range = named.span;
        Ok(edited(
            &message,
            Edit {
                rule: "model",
                range,
                with,
            },
        ))
    }

    /// A turn is asked for: its hold is taken before anything goes upstream.
    async fn asked(
        &self,
        message: Message,
        (lane, event): (String, Option<String>),
        mut facts: RequestFacts,
    ) -> Result<Option<Message>, End> {
        let names = !facts.model.is_empty();
        if !self.state().turns.has_room() {
            let text = "too many turns are asked for at once: wait for some to end";
            self.say(&Error::new(Kind::BadRequest, text), &lane).await;
            return Ok(None);
        }
        {
            let mut state = self.state();
            state.complete(&mut facts);
            state.standing.give_way(&self.seat, &facts.model);
        }
        let asked_model = facts.model.clone();
        let Turn {
            exchange,
            sent_model,
        } = match self.seat.turn(&facts).await {
            Ok(turn) => turn,
            Err(error) => {
                self.say(&error, &lane).await;
                return Ok(None);
            }
        };
        self.state().turns.ask(lane, event, exchange);
        match facts.model_span {
            Some(range) if names && sent_model != asked_model => Ok(Some(edited(
                &message,
                Edit {
                    rule: "model",
                    range,
                    with: Bytes::from(serde_json::to_string(&sent_model).unwrap_or_default()),
                },
            ))),
            _ => Ok(Some(message)),
        }
    }

    async fn hear_upstream(&self, mut frames: SplitStream<Socket>) -> End {
        while let Some(frame) = frames.next().await {
            let message = match frame {
                Ok(Message::Close(words)) => return End::of_upstream(words),
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => message,
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(error) => return End::Ours(broken(&error.to_string())),
            };
            let stop = self.upstreams(payload(&message)).await.err();
            // What ends the conversation has been billed already: the client gets to see it, if it
            // is not about our credential.
            let shown = stop.as_ref().is_none_or(|stop| stop.shown);
            if shown && self.to_client.lock().await.send(message).await.is_err() {
                return End::ClientGone;
            }
            if let Some(stop) = stop {
                return End::Ours(stop.error);
            }
        }
        End::Ours(broken(
            "the provider ended the connection without closing it",
        ))
    }

    async fn upstreams(&self, frame: &[u8]) -> Result<(), Stop> {
        let (lane, turn) = {
            let mut state = self.state();
            let State {
                conversation,
                turns,
                standing,
                model,
                ..
            } = &mut *state;
            match conversation.server(frame) {
                FromServer::Pass => return Ok(()),
                FromServer::Says { turn, bytes } => {
                    let said = turns.says(&turn, bytes);
                    return said.map_err(|refusal| refusal.to_error().into());
                }
                FromServer::Ends { turn, report } => {
                    let made = made_in_frame(self.seat.endpoint.format, frame);
                    turns.note(&turn, self.seat.home(), &made);
                    let model = turns.model_of(&turn).unwrap_or(model).to_owned();
                    if !turns.end(&turn, (*report).clone()) {
                        // One that nobody saw begin is billed all the same.
                        standing.book(&self.seat, &model, &report);
                    }
                    return Ok(());
                }
                FromServer::Refuses { lane, event } => {
                    turns.refused(lane.as_deref(), event.as_deref());
                    return Ok(());
                }
                FromServer::Rejects => {
                    return Err(Stop {
                        error: rejected("it said so in a frame"),
                        shown: false,
                    });
                }
                FromServer::Bills(extra) => {
                    let model = model.clone();
                    standing.book_beside(&self.seat, &model, *extra);
                    return Ok(state.cover(&self.seat)?);
                }
                FromServer::Begins { lane, turn } if turns.begin(&lane, &turn) => return Ok(()),
                FromServer::Begins { lane, turn } => (lane, turn),
            }
        };
        Ok(self.unasked(&lane, turn).await?)
    }

    /// A turn that the server began by itself: it has begun, so it is booked whether or not it fits.
    /// If it does not, it ends the conversation.
    async fn unasked(&self, lane: &str, turn: String) -> Result<(), Error> {
        let mut facts = bare();
        {
            let mut state = self.state();
            facts.model = state.turns.model_of(lane).unwrap_or_default().to_owned();
            state.complete(&mut facts);
            state.standing.give_way(&self.seat, &facts.model);
            state.beginning.push(facts.model.clone());
        }
        let held = self.seat.turn(&facts).await;
        let mut state = self.state();
        state.beginning.pop();
        match held {
            Ok(Turn { exchange, .. }) => {
                state.turns.heard();
                state.turns.run(turn, Box::new(exchange));
                Ok(())
            }
            Err(error) => {
                state.standing.book_guess(&self.seat, &facts.model);
                Err(error)
            }
        }
    }

    /// Looks at the clock until something is wrong.
    async fn watch(&self) -> End {
        let deadline = self.deadline;
        loop {
            let quiet = self.state().turns.quiet_until();
            let tick = Instant::now() + TICK;
            sleep_until(quiet.map_or(tick, |quiet| quiet.min(tick)).min(deadline)).await;
            let topped_up = self.state().turns.top_up();
            if let Err(refusal) = topped_up {
                return End::Ours(refusal.to_error());
            }
            if let Err(error) = self.seat.who() {
                return End::Ours(error);
            }
            if self.seat.gateway.is_draining() {
                let text = "the gateway is stopping: connect again";
                return End::Ours(Error::new(Kind::Unavailable, text));
            }
            if Instant::now() >= deadline {
                let text = "the conversation has lasted as long as it may: connect again";
                return End::Ours(Error::new(Kind::UpstreamTimeout, text));
            }
        }
    }

    /// Settles, and says goodbye on both sides.
    async fn finish(self, end: End) {
        let Self {
            seat,
            state,
            to_client,
            to_upstream,
            ..
        } = self;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let error = match &end {
            End::Ours(error) => Some(error),
            End::ClientClosed(_) | End::UpstreamClosed(_) | End::ClientGone => None,
        };
        state.turns.close(error);
        for model in std::mem::take(&mut state.beginning) {
            state.standing.book_guess(&seat, &model);
        }
        if let Some(error) = error {
            state.standing.exchange.failed(error);
        }
        state.standing.close();
        let (client_words, upstream_words) = end.words();
        let last = error.map(|error| state.conversation.error_frame(error, ""));
        let farewell = async {
            let mut to_client = to_client.into_inner();
            if let Some(last) = last.and_then(|last| String::from_utf8(last).ok()) {
                let _gone = to_client.send(Message::text(last)).await;
            }
            let _gone = to_client.send(Message::Close(client_words)).await;
            let mut to_upstream = to_upstream.into_inner();
            let _gone = to_upstream.send(Message::Close(upstream_words)).await;
        };
        let _slow = timeout(FAREWELL_TIME, farewell).await;
    }

    /// Tells the client of an error about one ask; the conversation goes on.
    async fn say(&self, error: &Error, lane: &str) {
        let frame = self.state().conversation.error_frame(error, lane);
        if let Ok(text) = String::from_utf8(frame) {
            // A client that is gone is noticed by who listens to it.
            let _gone = self.to_client.lock().await.send(Message::text(text)).await;
        }
    }
}
