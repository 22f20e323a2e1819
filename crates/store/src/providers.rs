//! Providers: configured upstreams with their sealed credentials and price overrides.

use crate::{
    change::{Change, Standing},
    error::Result,
    seal::Keyring,
    sql::{Connection, Row, Value, query},
};
use std::collections::HashMap;
use tollgate_core::{
    declared::DeclaredProvider,
    id::{OrganizationId, ProviderId},
    money::NanoUsd,
    provider::{self, Credential, PriceOverride, Provider, ProviderKind, Site},
};

mod words;

/// A provider as stored.
pub(crate) struct ProviderRow {
    pub(crate) provider: Provider,
    pub(crate) standing: Standing,
}

/// Every provider of an organisation, disabled ones included, credentials opened.
pub(crate) async fn load(
    connection: &mut Connection,
    organization: OrganizationId,
    keyring: &Keyring,
) -> Result<Vec<ProviderRow>> {
    let mut prices = load_prices(connection, organization).await?;
    query(
        "provider",
        "SELECT id, slug, kind, base_url, credential_placement, credential_sealed, unpriced,
                report_cost, on_client_gone, cancel_stops_billing, forward_trace, managed_by,
                disabled_at
         FROM provider WHERE organization_id = $1",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?
    .iter()
    .map(|row| {
        let id = row.id("id", ProviderId::from_bytes)?;
        let prices = prices.remove(&id).unwrap_or_default();
        read(row, id, prices, keyring)
    })
    .collect()
}

fn read(
    row: &Row,
    id: ProviderId,
    prices: Vec<PriceOverride>,
    keyring: &Keyring,
) -> Result<ProviderRow> {
    let placement = row.nullable("credential_placement", |row, column| {
        row.word(column, words::placement_from_word)
    })?;
    let sealed = row.nullable("credential_sealed", Row::bytes)?;
    let credential = match (placement, sealed) {
        (Some(placement), Some(sealed)) => Some(Credential::Placed {
            placement,
            secret: keyring.open(&sealed, id.to_bytes())?,
        }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(row.inconsistent("credential_sealed")),
    };
    Ok(ProviderRow {
        provider: Provider {
            id,
            slug: row.text("slug")?,
            kind: row.word("kind", ProviderKind::from_word)?,
            base_url: row.text("base_url")?,
            site: Site::default(),
            credential,
            connection: provider::Connection::default(),
            allow_deferred: false,
            unpriced: row.word("unpriced", words::unpriced_from_word)?,
            report_cost: row.word("report_cost", words::report_cost_from_word)?,
            on_client_gone: row.word("on_client_gone", words::on_client_gone_from_word)?,
            prices,
            cancel_stops_billing: row.flag("cancel_stops_billing")?,
            forward_trace: row.flag("forward_trace")?,
        },
        standing: Standing::of(row)?,
    })
}

async fn load_prices(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<HashMap<ProviderId, Vec<PriceOverride>>> {
    let rows = query(
        "provider_price",
        "SELECT provider_id, model, input, output, cache_read, cache_write
         FROM provider_price JOIN provider ON provider.id = provider_id
         WHERE organization_id = $1 ORDER BY provider_id, position",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?;
    let rate = |row: &Row, column| row.integer(column).map(NanoUsd::from_nano);
    let mut prices: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        let provider = row.id("provider_id", ProviderId::from_bytes)?;
        prices.entry(provider).or_default().push(PriceOverride {
            model: row.text("model")?,
            input: rate(&row, "input")?,
            output: rate(&row, "output")?,
            cache_read: row.nullable("cache_read", rate)?,
            cache_write: row.nullable("cache_write", rate)?,
        });
    }
    Ok(prices)
}

/// Makes the rows equal to what is declared; gives the id of each declared slug.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    declared: &[DeclaredProvider],
) -> Result<HashMap<String, ProviderId>> {
    let organization = change.organization()?;
    let existing = load(&mut change.tx, organization, change.keyring).await?;
    let mut ids = HashMap::new();
    for declared in declared {
        let found = existing
            .iter()
            .find(|row| row.provider.slug == declared.slug);
        let id = found.map_or_else(
            || ProviderId::new(change.now, change.entropy),
            |found| found.provider.id,
        );
        ids.insert(declared.slug.clone(), id);
        let wanted = provider(id, declared);
        match found {
            Some(found) if !change.takes_over(found.standing.managed_by) => {}
            Some(found) if stands_as(found, &wanted, change) => {}
            Some(_) => {
                put(change, &wanted).await?;
                change
                    .record("provider.changed", &wanted.slug, id.to_bytes())
                    .await?;
            }
            None => {
                put(change, &wanted).await?;
                change
                    .record("provider.made", &wanted.slug, id.to_bytes())
                    .await?;
            }
        }
    }
    let rows = existing
        .into_iter()
        .map(|row| (row.provider.id.to_bytes(), row.provider.slug, row.standing));
    let names = declared.iter().map(|provider| &*provider.slug).collect();
    change.disable_undeclared("provider", rows, &names).await?;
    Ok(ids)
}

fn stands_as(found: &ProviderRow, wanted: &Provider, change: &Change<'_>) -> bool {
    found.provider == *wanted && found.standing.managed_by == change.by && !found.standing.disabled
}

fn provider(id: ProviderId, declared: &DeclaredProvider) -> Provider {
    let DeclaredProvider {
        slug,
        kind,
        base_url,
        site,
        credential,
        connection,
        unpriced,
        report_cost,
        on_client_gone,
        prices,
        cancel_stops_billing,
        allow_deferred,
        forward_trace,
    } = declared.clone();
    Provider {
        id,
        slug,
        kind,
        base_url,
        site,
        credential,
        connection,
        unpriced,
        report_cost,
        on_client_gone,
        prices,
        cancel_stops_billing,
        allow_deferred,
        forward_trace,
    }
}

async fn put(change: &mut Change<'_>, provider: &Provider) -> Result<()> {
    let id = provider.id.to_bytes();
    let (placement, sealed) = match &provider.credential {
        Some(Credential::Placed { placement, secret }) => (
            Some(placement),
            Some(change.keyring.seal(secret, id, change.entropy)?),
        ),
        _ => (None, None),
    };
    query(
        "provider",
        "INSERT INTO provider
            (id, organization_id, slug, kind, base_url, credential_placement, credential_sealed,
             unpriced, report_cost, on_client_gone, cancel_stops_billing, forward_trace,
             managed_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET
             kind = excluded.kind, base_url = excluded.base_url,
             credential_placement = excluded.credential_placement,
             credential_sealed = excluded.credential_sealed, unpriced = excluded.unpriced,
             report_cost = excluded.report_cost, on_client_gone = excluded.on_client_gone,
             cancel_stops_billing = excluded.cancel_stops_billing,
             forward_trace = excluded.forward_trace, managed_by = excluded.managed_by,
             disabled_at = NULL",
    )
    .bind(id)
    .bind(change.organization()?.to_bytes())
    .bind(&provider.slug)
    .bind(provider.kind.as_str())
    .bind(&provider.base_url)
    .bind(placement.map(words::placement_word))
    .bind(sealed)
    .bind(words::unpriced_word(provider.unpriced))
    .bind(words::report_cost_word(provider.report_cost))
    .bind(words::on_client_gone_word(provider.on_client_gone))
    .bind(provider.cancel_stops_billing)
    .bind(provider.forward_trace)
    .bind(change.by.as_str())
    .bind(change.now)
    .execute(&mut change.tx)
    .await?;
    put_prices(change, provider).await
}

async fn put_prices(change: &mut Change<'_>, provider: &Provider) -> Result<()> {
    let id = provider.id.to_bytes();
    query(
        "provider_price",
        "DELETE FROM provider_price WHERE provider_id = $1",
    )
    .bind(id)
    .execute(&mut change.tx)
    .await?;
    let nano = |rate: Option<NanoUsd>| Value::from(rate.map(NanoUsd::as_nano));
    for (position, price) in (0_i64..).zip(&provider.prices) {
        query(
            "provider_price",
            "INSERT INTO provider_price
                (provider_id, position, model, input, output, cache_read, cache_write)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(position)
        .bind(&price.model)
        .bind(price.input.as_nano())
        .bind(price.output.as_nano())
        .bind(nano(price.cache_read))
        .bind(nano(price.cache_write))
        .execute(&mut change.tx)
        .await?;
    }
    Ok(())
}
