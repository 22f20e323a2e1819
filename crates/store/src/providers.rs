//! Providers: configured upstreams with their sealed credentials and price overrides.

use crate::{
    change::{Change, ManagedBy, Standing},
    error::Result,
    organizations,
    seal::Keyring,
    sql::{Connection, Row, Value, query, whole_milliseconds},
    store::Store,
};
use std::collections::HashMap;
use tollgate_core::{
    declared::DeclaredProvider,
    id::{OrganizationId, ProviderId},
    money::NanoUsd,
    provider::{self, Credential, NetworkReach, PriceOverride, Provider, ProviderKind, Site},
};

mod credential;
#[cfg(test)]
mod tests;
mod words;

/// A provider as stored.
pub(crate) struct ProviderRow {
    pub(crate) provider: Provider,
    pub(crate) standing: Standing,
}

/// A provider, and who keeps it.
#[derive(Clone, Debug)]
pub struct ProviderListing {
    /// The provider, its credential opened.
    pub provider: Provider,
    /// Who keeps it as it is.
    pub managed_by: ManagedBy,
    /// Whether it is switched off.
    pub disabled: bool,
}

impl Store {
    /// Every provider of the deployment's first organisation, by slug, disabled ones included.
    pub async fn list_providers(&self) -> Result<Vec<ProviderListing>> {
        let mut tx = self.database.read().await?;
        let organizations = organizations::load(&mut tx).await?;
        let Some(first) = organizations.iter().map(|found| found.id).min() else {
            return Ok(Vec::new());
        };
        let rows = load(&mut tx, first, &self.keyring).await?;
        let listing = |row: ProviderRow| ProviderListing {
            provider: row.provider,
            managed_by: row.standing.managed_by,
            disabled: row.standing.disabled,
        };
        let mut listings: Vec<_> = rows.into_iter().map(listing).collect();
        listings.sort_by(|a, b| a.provider.slug.cmp(&b.provider.slug));
        Ok(listings)
    }
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
        "SELECT id, slug, kind, base_url, region, project, location, api_version,
                credential_placement, credential_sealed, connect_timeout_ms, head_timeout_ms,
                idle_timeout_ms, max_concurrency, ca_pem, unpriced, report_cost, on_client_gone,
                cancel_stops_billing, allow_deferred, forward_trace, managed_by, disabled_at
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
    let standing = Standing::of(row)?;
    Ok(ProviderRow {
        provider: Provider {
            id,
            slug: row.text("slug")?,
            kind: row.word("kind", ProviderKind::from_word)?,
            base_url: row.text("base_url")?,
            site: Site {
                region: row.nullable("region", Row::text)?,
                project: row.nullable("project", Row::text)?,
                location: row.nullable("location", Row::text)?,
                api_version: row.nullable("api_version", Row::text)?,
            },
            credential: read_credential(row, id, keyring)?,
            connection: provider::Connection {
                connect_timeout: row.nullable("connect_timeout_ms", Row::milliseconds)?,
                head_timeout: row.nullable("head_timeout_ms", Row::milliseconds)?,
                idle_timeout: row.nullable("idle_timeout_ms", Row::milliseconds)?,
                max_concurrency: row.nullable("max_concurrency", Row::small)?,
                ca_pem: row.nullable("ca_pem", Row::text)?,
                reach: reach(standing.managed_by),
            },
            unpriced: row.word("unpriced", words::unpriced_from_word)?,
            report_cost: row.word("report_cost", words::report_cost_from_word)?,
            on_client_gone: row.word("on_client_gone", words::on_client_gone_from_word)?,
            prices,
            cancel_stops_billing: row.flag("cancel_stops_billing")?,
            allow_deferred: row.flag("allow_deferred")?,
            forward_trace: row.flag("forward_trace")?,
        },
        standing,
    })
}

fn read_credential(row: &Row, id: ProviderId, keyring: &Keyring) -> Result<Option<Credential>> {
    let word = row.nullable("credential_placement", Row::text)?;
    let sealed = row.nullable("credential_sealed", Row::bytes)?;
    let secret = sealed.map(|sealed| keyring.open(&sealed, id.to_bytes()));
    match (word, secret.transpose()?) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(row.inconsistent("credential_placement")),
        (Some(word), secret) => credential::from_stored(&word, secret)
            .map(Some)
            .ok_or_else(|| row.inconsistent("credential_sealed")),
    }
}

/// Which addresses a provider's host may stand for: who wrote the URL decides.
const fn reach(managed_by: ManagedBy) -> NetworkReach {
    match managed_by {
        ManagedBy::File | ManagedBy::FirstRun => NetworkReach::Any,
        ManagedBy::Admin => NetworkReach::PublicOnly,
    }
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
        let wanted = provider(id, declared, change.by);
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

/// The provider that is declared, as it comes back when it is stored.
fn provider(id: ProviderId, declared: &DeclaredProvider, by: ManagedBy) -> Provider {
    let mut provider = declared.clone().into_provider(id, reach(by));
    let connection = &mut provider.connection;
    for time in [
        &mut connection.connect_timeout,
        &mut connection.head_timeout,
        &mut connection.idle_timeout,
    ] {
        *time = time.map(whole_milliseconds);
    }
    provider
}

const PUT: &str = "INSERT INTO provider
        (id, organization_id, slug, kind, base_url, region, project, location, api_version,
         credential_placement, credential_sealed, connect_timeout_ms, head_timeout_ms,
         idle_timeout_ms, max_concurrency, ca_pem, unpriced, report_cost, on_client_gone,
         cancel_stops_billing, allow_deferred, forward_trace, managed_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
             $20, $21, $22, $23, $24)
     ON CONFLICT (id) DO UPDATE SET
         kind = excluded.kind, base_url = excluded.base_url, region = excluded.region,
         project = excluded.project, location = excluded.location,
         api_version = excluded.api_version,
         credential_placement = excluded.credential_placement,
         credential_sealed = excluded.credential_sealed,
         connect_timeout_ms = excluded.connect_timeout_ms,
         head_timeout_ms = excluded.head_timeout_ms, idle_timeout_ms = excluded.idle_timeout_ms,
         max_concurrency = excluded.max_concurrency, ca_pem = excluded.ca_pem,
         unpriced = excluded.unpriced, report_cost = excluded.report_cost,
         on_client_gone = excluded.on_client_gone,
         cancel_stops_billing = excluded.cancel_stops_billing,
         allow_deferred = excluded.allow_deferred, forward_trace = excluded.forward_trace,
         managed_by = excluded.managed_by, disabled_at = NULL";

async fn put(change: &mut Change<'_>, provider: &Provider) -> Result<()> {
    let id = provider.id.to_bytes();
    let stored = provider.credential.as_ref().map(credential::to_stored);
    let (placement, secret) = stored.transpose()?.unzip();
    let seal = |secret| change.keyring.seal(&secret, id, change.entropy);
    let sealed = secret.flatten().map(seal).transpose()?;
    let (site, connection) = (&provider.site, &provider.connection);
    query("provider", PUT)
        .bind(id)
        .bind(change.organization()?.to_bytes())
        .bind(&provider.slug)
        .bind(provider.kind.as_str())
        .bind(&provider.base_url)
        .bind(site.region.as_ref())
        .bind(site.project.as_ref())
        .bind(site.location.as_ref())
        .bind(site.api_version.as_ref())
        .bind(placement)
        .bind(sealed)
        .bind(connection.connect_timeout)
        .bind(connection.head_timeout)
        .bind(connection.idle_timeout)
        .bind(connection.max_concurrency)
        .bind(connection.ca_pem.as_ref())
        .bind(words::unpriced_word(provider.unpriced))
        .bind(words::report_cost_word(provider.report_cost))
        .bind(words::on_client_gone_word(provider.on_client_gone))
        .bind(provider.cancel_stops_billing)
        .bind(provider.allow_deferred)
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
