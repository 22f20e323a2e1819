//! One slot: 512 bytes, little-endian, written whole.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | CRC-32 of bytes 4 to 183 |
//! | 4 | 1 | version of this layout, 1; 0 = the slot is free |
//! | 5 | 1 | state: 1 held, 2 settled |
//! | 6 | 1 | which ids are there: 1 member, 2 API key, 4 session |
//! | 7 | 1 | flags of the figure |
//! | 8 | 4 | index of this slot: a slot written elsewhere by a broken disk is torn |
//! | 12 | 4 | reserved, 0 |
//! | 16 | 8 | serial number of the write |
//! | 24 | 16 | request id |
//! | 40 | 80 | organisation, project, member, API key, session id |
//! | 120 | 8 | when the hold was taken, microseconds since 1970 |
//! | 128 | 24 | held: cost, requests, tokens |
//! | 152 | 24 | used, when settled: cost, requests, tokens |
//! | 176 | 8 | reserved, 0 |
//!
//! A slot lies inside one disk sector, so a power loss leaves the old or the new one on most disks;
//! the checksum tells when it did not.

use crate::bytes::{Reader, Writer};
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    id::{AgentSessionId, ApiKeyId, MemberId, OrganizationId, ProjectId, RequestId},
    ledger::Flags,
    money::NanoUsd,
    principal::Ids,
};

pub(super) const SLOT_BYTES: usize = 512;
const CRC_BYTES: usize = 4;
const USED_BYTES: usize = 184;
const VERSION: u8 = 1;
const HELD: u8 = 1;
const SETTLED: u8 = 2;
const NO_ID: [u8; 16] = [0; 16];

/// What a request holds, or held and used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRecord {
    /// The request.
    pub request: RequestId,
    /// Whom it is attributed to.
    pub ids: Ids,
    /// When the hold was taken; kept to the microsecond.
    pub reserved_at: Timestamp,
    /// What it holds, in all.
    pub held: Amount,
    /// How far it is.
    pub state: SlotState,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// It runs.
    Held,
    /// It ended and used this; the entry may not be committed yet.
    Settled {
        /// What it used.
        actual: Amount,
        /// What is to be known about the figure.
        flags: Flags,
    },
}

/// What a slot turned out to be.
#[derive(Debug)]
pub(super) enum Decoded {
    Free,
    Torn,
    /// Intact, and of a version this binary does not know.
    Newer(u8),
    Record(Written),
}

/// A record and the number of the write that left it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) serial: u64,
    pub(super) record: SlotRecord,
}

impl SlotRecord {
    pub(super) fn encode(&self, index: u32, serial: u64) -> [u8; SLOT_BYTES] {
        let (state, actual, flags) = match self.state {
            SlotState::Held => (HELD, Amount::ZERO, Flags::NONE),
            SlotState::Settled { actual, flags } => (SETTLED, actual, flags),
        };
        let Ids {
            organization,
            project,
            member,
            api_key,
            session,
        } = self.ids;
        let present = u8::from(member.is_some())
            | u8::from(api_key.is_some()) << 1
            | u8::from(session.is_some()) << 2;
        let mut body = Writer::<{ USED_BYTES - CRC_BYTES }>::new();
        body.put([VERSION, state, present, flags.bits()]);
        body.put(index.to_le_bytes());
        body.put([0; 4]);
        body.put(serial.to_le_bytes());
        body.put(self.request.to_bytes());
        body.put(organization.to_bytes());
        body.put(project.to_bytes());
        body.put(member.map_or(NO_ID, MemberId::to_bytes));
        body.put(api_key.map_or(NO_ID, ApiKeyId::to_bytes));
        body.put(session.map_or(NO_ID, AgentSessionId::to_bytes));
        body.put(self.reserved_at.as_microsecond().to_le_bytes());
        put_amount(&mut body, self.held);
        put_amount(&mut body, actual);
        let body = body.bytes();
        let mut slot = Writer::new();
        slot.put(crc32fast::hash(&body).to_le_bytes());
        slot.put(body);
        slot.bytes()
    }

    pub(super) fn decode(bytes: &[u8], index: u32) -> Decoded {
        let (Some(head), Some(used)) = (bytes.get(..USED_BYTES), bytes.get(CRC_BYTES..USED_BYTES))
        else {
            return Decoded::Torn;
        };
        if head.iter().all(|byte| *byte == 0) {
            return Decoded::Free;
        }
        let mut reader = Reader::new(head);
        let intact = reader.take().map(u32::from_le_bytes) == Some(crc32fast::hash(used));
        let version = reader.take().map_or(0, |[version]: [u8; 1]| version);
        match (intact, version) {
            (false, _) => Decoded::Torn,
            (true, VERSION) => read(&mut reader, index).map_or(Decoded::Torn, Decoded::Record),
            (true, version) => Decoded::Newer(version),
        }
    }
}

fn put_amount<const N: usize>(writer: &mut Writer<N>, amount: Amount) {
    writer.put(amount.cost.as_nano().to_le_bytes());
    writer.put(amount.requests.to_le_bytes());
    writer.put(amount.tokens.to_le_bytes());
}

fn read(reader: &mut Reader<'_>, index: u32) -> Option<Written> {
    let [state, present, flags] = reader.take()?;
    let written_as = u32::from_le_bytes(reader.take()?);
    let _reserved: [u8; 4] = reader.take()?;
    let serial = u64::from_le_bytes(reader.take()?);
    let request = RequestId::from_bytes(reader.take()?);
    let there = |bit: u8, bytes: [u8; 16]| (present & bit != 0).then_some(bytes);
    let ids = Ids {
        organization: OrganizationId::from_bytes(reader.take()?),
        project: ProjectId::from_bytes(reader.take()?),
        member: there(1, reader.take()?).map(MemberId::from_bytes),
        api_key: there(2, reader.take()?).map(ApiKeyId::from_bytes),
        session: there(4, reader.take()?).map(AgentSessionId::from_bytes),
    };
    let reserved_at = Timestamp::from_microsecond(i64::from_le_bytes(reader.take()?)).ok()?;
    let held = read_amount(reader)?;
    let actual = read_amount(reader)?;
    let state = match state {
        HELD => SlotState::Held,
        SETTLED => SlotState::Settled {
            actual,
            flags: Flags::from_bits(flags),
        },
        _ => return None,
    };
    let record = SlotRecord {
        request,
        ids,
        reserved_at,
        held,
        state,
    };
    (written_as == index).then_some(Written { serial, record })
}

fn read_amount(reader: &mut Reader<'_>) -> Option<Amount> {
    Some(Amount {
        cost: NanoUsd::from_nano(i64::from_le_bytes(reader.take()?)),
        requests: i64::from_le_bytes(reader.take()?),
        tokens: i64::from_le_bytes(reader.take()?),
    })
}
