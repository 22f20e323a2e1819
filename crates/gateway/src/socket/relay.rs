//! The frames of one conversation, both ways at once.
//!
//! Each way is a loop of its own, so that a side that is slow to take delays nobody but who sends
//! to it; what they share is locked for moments. Pings are answered on each side by itself. The
//! conversation is over when either side closes or goes, when a limit ends a turn, when the caller
//! may not call any more, or at its deadline.

use super::{
    MESSAGE_BYTES_MAX, Socket,
    ending::{End, broken},
    seat::{Seat, Turn},
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
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tollgate_core::error::{Error, Kind};
use tollgate_wire::{
    edit::{self, Edit},
    facts::RequestFacts,
    objects::made_in_frame,
    socket::{Conversation, FromClient, FromServer, Named, conversation},
};

/// How often the clock is looked at: the caller's standing, the deadline, silent turns.
const TICK: Duration = Duration::from_secs(1);

/// How long the last words to a side may take.
const FAREWELL_TIME: Duration = Duration::from_secs(5);

struct Talk {
    seat: Seat,
    state: Mutex<State>,
    to_client: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    to_upstream: tokio::sync::Mutex<SplitSink<Socket, Message>>,
}

struct State {
    conversation: Box<dyn Conversation>,
    turns: Turns,
    /// The model of turns that name none, as the client names it.
    model: String,
    output_cap: Option<u64>,
}

/// Relays until the conversation is over, and settles what it used.
pub(super) async fn converse(seat: Seat, client: Socket, upstream: Socket) {
    let Some(conversation) = conversation(seat.endpoint.format) else {
        return;
    };
    let model = seat.endpoint.model.clone().unwrap_or_default();
    let (to_client, from_client) = client.split();
    let (to_upstream, from_upstream) = upstream.split();
    let talk = Talk {
        seat,
        state: Mutex::new(State {
            conversation,
            turns: Turns::default(),
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
            Ok(FromClient::Adds(input)) => {
                self.state().turns.add(input);
                Ok(Some(message))
            }
            Ok(FromClient::Names(named)) => self.named(message, named).map(Some),
            Ok(FromClient::Asks { lane, facts }) => self.asked(message, lane, *facts).await,
            Err(error) => {
                self.say(&error, "").await;
                Ok(None)
            }
        }
    }

    /// The conversation's model: it must be one that the caller may use, and has a price.
    fn named(&self, message: Message, named: Named) -> Result<Message, End> {
        let facts = RequestFacts {
            model: named.model.clone(),
            ..bare()
        };
        let sent_model = match self.seat.look(&facts) {
            Ok(sent_model) => sent_model,
            Err(error) => return Err(End::Ours(error)),
        };
        {
            let mut state = self.state();
            state.turns.add(named.input);
            state.output_cap = named.output_cap;
            state.model.clone_from(&named.model);
        }
        if sent_model == named.model {
            return Ok(message);
        }
        Ok(edited(
            &message,
            Edit {
                rule: "model",
                range: named.span,
                with: Bytes::from(sent_model),
            },
        ))
    }

    /// A turn is asked for: its hold is taken before anything goes upstream.
    async fn asked(
        &self,
        message: Message,
        lane: String,
        mut facts: RequestFacts,
    ) -> Result<Option<Message>, End> {
        let names = !facts.model.is_empty();
        if !self.state().turns.has_room() {
            let text = "too many turns are asked for at once: wait for some to end";
            self.say(&Error::new(Kind::BadRequest, text), &lane).await;
            return Ok(None);
        }
        self.complete(&mut facts);
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
        self.state().turns.ask(lane, exchange);
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
                Ok(Message::Close(words)) => return End::UpstreamClosed(words),
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => message,
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(error) => return End::Ours(broken(&error.to_string())),
            };
            let refusal = self.upstreams(payload(&message)).await.err();
            // What ends the conversation has been billed already: the client gets to see it.
            if self.to_client.lock().await.send(message).await.is_err() {
                return End::ClientGone;
            }
            if let Some(refusal) = refusal {
                return End::Ours(refusal);
            }
        }
        End::Ours(broken(
            "the provider ended the connection without closing it",
        ))
    }

    async fn upstreams(&self, frame: &[u8]) -> Result<(), Error> {
        let (read, is_known) = {
            let mut state = self.state();
            let read = state.conversation.server(frame);
            let turns = &mut state.turns;
            let is_known = match &read {
                FromServer::Pass => true,
                FromServer::Begins { lane, turn } => turns.begin(lane, turn),
                FromServer::Says { turn, bytes } => {
                    return turns
                        .says(turn, *bytes)
                        .map_err(|refusal| refusal.to_error());
                }
                FromServer::Ends { turn, report } => {
                    let made = made_in_frame(self.seat.endpoint.format, frame);
                    turns.note(turn, self.seat.home(), &made);
                    turns.end(turn, (**report).clone())
                }
                FromServer::Refuses { lane } => {
                    turns.refused(lane);
                    true
                }
                FromServer::Bills(extra) => {
                    turns.bill((**extra).clone());
                    true
                }
            };
            (read, is_known)
        };
        match read {
            FromServer::Begins { turn, .. } if !is_known => self.unasked(turn).await,
            // One that nobody saw begin is billed all the same.
            FromServer::Ends { turn, report } if !is_known => {
                self.unasked(turn.clone()).await?;
                self.state().turns.end(&turn, *report);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A turn that the server began by itself: refused a hold, it ends the conversation.
    async fn unasked(&self, turn: String) -> Result<(), Error> {
        let mut facts = bare();
        self.complete(&mut facts);
        let exchange = self.seat.turn(&facts).await?.exchange;
        let mut state = self.state();
        state.turns.heard();
        state.turns.run(turn, Box::new(exchange));
        Ok(())
    }

    /// Looks at the clock until something is wrong.
    async fn watch(&self) -> End {
        let deadline = self.seat.opening.deadline();
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
            mut seat,
            state,
            to_client,
            to_upstream,
        } = self;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let error = match &end {
            End::Ours(error) => Some(error),
            End::ClientClosed(_) | End::UpstreamClosed(_) | End::ClientGone => None,
        };
        state.turns.close(error);
        let beside = state.turns.take_beside();
        if let Some(error) = error {
            seat.opening.failed(error);
        }
        seat.close(&state.model, beside);
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

    /// Adds what the conversation knows of its next turn.
    fn complete(&self, facts: &mut RequestFacts) {
        let state = self.state();
        state.turns.with_context(facts);
        if facts.model.is_empty() {
            facts.model.clone_from(&state.model);
        }
        facts.output_cap = facts.output_cap.or(state.output_cap);
    }
}

/// A turn that shows nothing of itself.
fn bare() -> RequestFacts {
    RequestFacts {
        stream: true,
        choices: 1,
        ..RequestFacts::default()
    }
}

fn payload(message: &Message) -> &[u8] {
    match message {
        Message::Text(text) => text.as_bytes(),
        Message::Binary(bytes) => bytes,
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => b"",
    }
}

/// The same message with an edit made.
fn edited(message: &Message, edit: Edit) -> Message {
    let bytes = Bytes::copy_from_slice(payload(message));
    debug_assert!(bytes.len() <= MESSAGE_BYTES_MAX);
    let bytes = Bytes::from(edit::apply(&bytes, vec![edit]).concat());
    match message {
        Message::Text(_) => Utf8Bytes::try_from(bytes).map_or(Message::Close(None), Message::Text),
        _ => Message::Binary(bytes),
    }
}
