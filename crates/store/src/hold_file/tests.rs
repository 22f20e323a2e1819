use super::*;
use crate::testing::{World, amount};
use tollgate_core::{
    clock::Timestamp,
    entropy::FixedEntropy,
    id::{AgentSessionId, ApiKeyId, MemberId, OrganizationId, ProjectId, RequestId},
    ledger::Flags,
    principal::Ids,
};

const SLOT: u64 = 512;

fn record(request: u8, state: SlotState) -> SlotRecord {
    let at = Timestamp::UNIX_EPOCH;
    let entropy = FixedEntropy(request);
    SlotRecord {
        request: RequestId::new(at, &entropy),
        ids: Ids {
            organization: OrganizationId::new(at, &entropy),
            project: ProjectId::new(at, &entropy),
            member: Some(MemberId::new(at, &entropy)),
            api_key: Some(ApiKeyId::new(at, &entropy)),
            session: None,
        },
        reserved_at: Timestamp::from_microsecond(1_795_262_400_123_456).unwrap(),
        held: amount(500),
        state,
    }
}

fn settled(cost: i64) -> SlotState {
    SlotState::Settled {
        actual: amount(cost),
        flags: Flags::ESTIMATED,
    }
}

/// Changes bytes of the file behind its back.
fn damage(world: &World, at: u64, bytes: &[u8]) {
    let path = world.dir.path().join(HOLD_FILE);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

#[test]
fn what_was_written_last_is_found_again_in_the_order_of_writing() {
    let world = World::new();
    let (file, scan) = world.hold_file();
    assert!(scan.found.is_empty() && scan.torn == 0 && !scan.rebooted);
    let (a, b, c) = (
        file.acquire().unwrap(),
        file.acquire().unwrap(),
        file.acquire().unwrap(),
    );
    file.write(a, &record(1, SlotState::Held)).unwrap();
    file.write(b, &record(2, SlotState::Held)).unwrap();
    file.write(c, &record(3, SlotState::Held)).unwrap();
    file.write(a, &record(1, settled(200))).unwrap();
    file.free(vec![c]).unwrap();
    drop(file);

    let (file, scan) = world.hold_file();
    let expected = vec![
        (b, record(2, SlotState::Held)),
        (a, record(1, settled(200))),
    ];
    assert_eq!(scan.found, expected);
    assert_eq!(file.free_slots(), SLOT_COUNT - 2);
    drop(file);

    let (_, again) = world.hold_file();
    assert_eq!(again.found, expected, "reading changes nothing");
}

#[test]
fn every_field_of_a_slot_survives_and_every_damaged_byte_shows() {
    let mut full = record(7, settled(300));
    full.ids.session = Some(AgentSessionId::new(full.reserved_at, &FixedEntropy(9)));
    full.ids.member = None;
    let bytes = full.encode(11, 5);
    let slot::Decoded::Record(read) = SlotRecord::decode(&bytes, 11) else {
        panic!("intact")
    };
    assert_eq!((read.serial, read.record), (5, full));
    let elsewhere = SlotRecord::decode(&bytes, 12);
    assert!(matches!(elsewhere, slot::Decoded::Torn));
    for place in 0..184 {
        let mut torn = bytes;
        torn[place] ^= 0x10;
        let decoded = SlotRecord::decode(&torn, 11);
        assert!(matches!(decoded, slot::Decoded::Torn), "byte {place}");
    }
}

#[test]
fn a_torn_slot_is_counted_and_free_and_the_others_stand() {
    let world = World::new();
    let (file, _) = world.hold_file();
    let (a, b) = (file.acquire().unwrap(), file.acquire().unwrap());
    file.write(a, &record(1, SlotState::Held)).unwrap();
    file.write(b, &record(2, SlotState::Held)).unwrap();
    // The second half of an older version of the slot: what a sector cut in two looks like.
    damage(&world, HEADER_BYTES + u64::from(a.0) * SLOT + 100, &[0; 80]);
    drop(file);

    let (file, scan) = world.hold_file();
    assert_eq!(scan.found, vec![(b, record(2, SlotState::Held))]);
    assert_eq!(scan.torn, 1);
    assert_eq!(file.free_slots(), SLOT_COUNT - 1);
}

#[test]
fn a_slot_of_a_newer_version_stops_the_start_instead_of_being_lost() {
    let world = World::new();
    let (file, _) = world.hold_file();
    let slot = file.acquire().unwrap();
    let mut bytes = record(1, SlotState::Held).encode(slot.0, 1);
    bytes[4] = 2;
    let crc = crc32fast::hash(&bytes[4..184]);
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    damage(&world, HEADER_BYTES + u64::from(slot.0) * SLOT, &bytes);
    drop(file);

    let path = world.dir.path().join(HOLD_FILE);
    let refused = HoldFile::open(&path, world.node(), BootId([1; 16])).unwrap_err();
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

#[test]
fn the_file_is_allocated_whole_and_keeps_its_node_and_notices_a_reboot() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    let (file, _) = world.hold_file();
    let metadata = std::fs::metadata(file.path()).unwrap();
    assert_eq!(metadata.len(), HEADER_BYTES + u64::from(SLOT_COUNT) * SLOT);
    assert!(
        metadata.blocks() * 512 >= metadata.len(),
        "no hole that a full disk could leave unwritable"
    );
    assert_eq!(metadata.mode() & 0o777, 0o600);
    let node = file.node();
    drop(file);

    let path = world.dir.path().join(HOLD_FILE);
    let (file, scan) = HoldFile::open(&path, world.node(), BootId([2; 16])).unwrap();
    assert_eq!(file.node(), node);
    assert!(scan.rebooted);
    drop(file);
    let (_, scan) = HoldFile::open(&path, world.node(), BootId([2; 16])).unwrap();
    assert!(!scan.rebooted);
}

#[test]
fn a_second_server_and_a_strange_file_are_refused() {
    let world = World::new();
    let (file, _) = world.hold_file();
    let path = file.path().to_path_buf();
    let open = || HoldFile::open(&path, world.node(), BootId([1; 16]));
    assert!(open().unwrap_err().to_string().contains("another server"));
    drop(file);
    damage(&world, 3, b"?");
    assert!(open().unwrap_err().to_string().contains("not a hold file"));
}

#[test]
fn a_full_file_admits_nothing_until_a_slot_is_freed() {
    let world = World::new();
    let (file, _) = world.hold_file();
    let taken: Vec<_> = std::iter::from_fn(|| file.acquire()).collect();
    assert_eq!(taken.len(), 58_983, "nine tenths of 65,536");
    file.free(vec![taken[0]]).unwrap();
    assert_eq!(file.acquire(), Some(taken[0]));
    assert_eq!(file.acquire(), None);
}

#[test]
fn the_boot_id_of_this_machine_can_be_read() {
    assert_eq!(BootId::current().unwrap(), BootId::current().unwrap());
}
