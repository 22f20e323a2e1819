//! Members: the people of an organisation.

use crate::{
    change::{Change, Standing},
    error::Result,
    limits,
    sql::{Connection, Row, query},
};
use std::collections::HashMap;
use tollgate_core::{
    declared::DeclaredMember,
    id::{MemberId, OrganizationId},
    limit::Scope,
    member::{Member, Role},
};

/// A member as stored.
pub(crate) struct MemberRow {
    pub(crate) member: Member,
    pub(crate) standing: Standing,
}

/// Every member of an organisation, disabled ones included.
pub(crate) async fn load(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<MemberRow>> {
    query(
        "member",
        "SELECT id, email, role, managed_by, disabled_at FROM member WHERE organization_id = $1",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<MemberRow> {
    Ok(MemberRow {
        member: Member {
            id: row.id("id", MemberId::from_bytes)?,
            email: row.text("email")?,
            role: row.word("role", Role::from_word)?,
        },
        standing: Standing::of(row)?,
    })
}

/// Makes the rows equal to what is declared; gives the id of each declared address.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    declared: &[DeclaredMember],
) -> Result<HashMap<String, MemberId>> {
    let organization = change.organization()?;
    let existing = load(&mut change.tx, organization).await?;
    let mut ids = HashMap::new();
    for member in declared {
        let found = existing.iter().find(|row| row.member.email == member.email);
        let id = match found {
            None => insert(change, member).await?,
            Some(found) => {
                ids.insert(member.email.clone(), found.member.id);
                if !change.takes_over(found.standing.managed_by) {
                    continue;
                }
                update(change, found, member).await?;
                found.member.id
            }
        };
        ids.insert(member.email.clone(), id);
        limits::provision(change, Scope::Member(id), &member.limits).await?;
    }
    let rows = existing
        .into_iter()
        .map(|row| (row.member.id.to_bytes(), row.member.email, row.standing));
    let names = declared.iter().map(|member| &*member.email).collect();
    change.disable_undeclared("member", rows, &names).await?;
    Ok(ids)
}

async fn insert(change: &mut Change<'_>, member: &DeclaredMember) -> Result<MemberId> {
    let id = MemberId::new(change.now, change.entropy);
    query(
        "member",
        "INSERT INTO member (id, organization_id, email, role, managed_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_bytes())
    .bind(change.organization()?.to_bytes())
    .bind(&member.email)
    .bind(member.role.as_str())
    .bind(change.by.as_str())
    .bind(change.now)
    .execute(&mut change.tx)
    .await?;
    change
        .record("member.made", &member.email, id.to_bytes())
        .await?;
    Ok(id)
}

async fn update(change: &mut Change<'_>, found: &MemberRow, member: &DeclaredMember) -> Result<()> {
    let standing = found.standing;
    if standing.managed_by == change.by && !standing.disabled && found.member.role == member.role {
        return Ok(());
    }
    let id = found.member.id.to_bytes();
    query(
        "member",
        "UPDATE member SET role = $1, managed_by = $2, disabled_at = NULL WHERE id = $3",
    )
    .bind(member.role.as_str())
    .bind(change.by.as_str())
    .bind(id)
    .execute(&mut change.tx)
    .await?;
    change.record("member.changed", &member.email, id).await
}
