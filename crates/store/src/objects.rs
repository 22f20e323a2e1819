//! Objects that live at a provider: whose each is.
//!
//! A row is written once, by the commit of the request whose answer named the object, or before
//! that answer where it is a create. It is looked up by project and id: what another project made
//! is not found, as what nobody made is not. Work that is billed later is in [`deferred`].

mod deferred;
#[cfg(test)]
mod tests;

pub use deferred::{Settlement, Truth};

use crate::{
    error::Result,
    ledger::id_values,
    sql::{Batch, Connection, Row, Value, query},
    store::Store,
};
use tollgate_core::{
    id::{ProjectId, ProviderId, RequestId},
    object::{ObjectKind, StoredObject},
};

/// What is known of an object of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownObject {
    /// Its id at the provider.
    pub id: String,
    /// Where it lives.
    pub provider: ProviderId,
    /// What it is.
    pub kind: ObjectKind,
    /// What is remembered of it, as JSON.
    pub facts: Option<String>,
    /// The request that asked for the work it stands for, while its bill is not known.
    pub open_work: Option<RequestId>,
}

impl Store {
    /// Writes down whose these objects are. One that a project has already stays as it is, but
    /// for facts, which are filled in.
    pub async fn keep_objects(&self, objects: &[StoredObject]) -> Result<()> {
        let mut tx = self.database.write().await?;
        insert(&mut tx, objects).await?;
        tx.commit().await
    }

    /// The objects of a project with these ids, in no order; one id may be known at several
    /// providers.
    pub async fn objects_of(&self, project: ProjectId, ids: &[&str]) -> Result<Vec<KnownObject>> {
        let mut tx = self.database.read().await?;
        Batch::new("stored_object")
            .given(project.to_bytes())
            .select_in(
                &mut tx,
                "SELECT id, provider_id, kind, facts,
                     (SELECT request_id FROM deferred_work AS work
                      WHERE work.project_id = stored_object.project_id
                        AND work.object_id = stored_object.id
                        AND work.provider_id = stored_object.provider_id
                        AND work.settled_at IS NULL) AS open_work
                 FROM stored_object WHERE project_id = ? AND id IN",
                ids.iter().map(|id| Value::from(*id)).collect(),
            )
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// The object was deleted at its provider.
    pub async fn forget_object(
        &self,
        project: ProjectId,
        provider: ProviderId,
        id: &str,
    ) -> Result<()> {
        let mut tx = self.database.write().await?;
        query(
            "stored_object",
            "DELETE FROM stored_object WHERE project_id = $1 AND provider_id = $2 AND id = $3",
        )
        .bind(project.to_bytes())
        .bind(provider.to_bytes())
        .bind(id)
        .execute(&mut tx)
        .await?;
        tx.commit().await
    }
}

fn read(row: &Row) -> Result<KnownObject> {
    Ok(KnownObject {
        id: row.text("id")?,
        provider: row.id("provider_id", ProviderId::from_bytes)?,
        kind: row.word("kind", ObjectKind::from_word)?,
        facts: row.nullable("facts", Row::text)?,
        open_work: row.nullable("open_work", |row, column| {
            row.id(column, RequestId::from_bytes)
        })?,
    })
}

/// Writes objects in the transaction of the caller.
pub(crate) async fn insert(connection: &mut Connection, objects: &[StoredObject]) -> Result<()> {
    Batch::new("stored_object")
        .insert(
            connection,
            "INSERT INTO stored_object (id, provider_id, kind, request_id, made_at, facts,
                 organization_id, project_id, member_id, api_key_id, session_id) VALUES",
            objects.iter().map(values).collect(),
            "ON CONFLICT (project_id, id, provider_id)
             DO UPDATE SET facts = COALESCE(stored_object.facts, excluded.facts)",
        )
        .await
}

fn values(object: &StoredObject) -> Vec<Value> {
    let mut values = Vec::with_capacity(11);
    values.extend([
        object.id.as_str().into(),
        object.provider.to_bytes().into(),
        object.kind.as_str().into(),
        object.request.to_bytes().into(),
        object.made_at.into(),
        object.facts.as_deref().into(),
    ]);
    values.extend(id_values(object.maker));
    values
}
