//! What every store promises, run for each of them.
#![allow(clippy::unwrap_used)]

mod fixtures;
mod leases;
mod nets;
mod past;
mod postgres;
mod reading;
mod sqlite;
mod writing;

macro_rules! contract {
    ($($module:ident: $($promise:ident)*;)*) => {
        mod in_memory {
            $($(
                #[tokio::test]
                async fn $promise() {
                    crate::$module::$promise(store::SqliteStore::in_memory().await.unwrap()).await;
                }
            )*)*
        }

        mod in_a_file {
            $($(
                #[tokio::test]
                async fn $promise() {
                    let dir = tempfile::tempdir().unwrap();
                    let store = store::SqliteStore::open(dir.path().join("projections.db")).await.unwrap();
                    crate::$module::$promise(store).await;
                }
            )*)*
        }

        mod in_postgres {
            $($(
                #[tokio::test]
                async fn $promise() {
                    let place = crate::postgres::place::Place::new().await;
                    crate::$module::$promise(place.store().await).await;
                }
            )*)*
        }

        mod spread_over_two {
            $($(
                #[tokio::test]
                async fn $promise() {
                    let stores = [
                        (1, store::SqliteStore::in_memory().await.unwrap()),
                        (3, store::SqliteStore::in_memory().await.unwrap()),
                    ];
                    crate::$module::$promise(store::Spread::new(stores)).await;
                }
            )*)*
        }

        mod of_either_kind {
            $($(
                #[tokio::test]
                async fn $promise() {
                    let store = store::SqliteStore::in_memory().await.unwrap();
                    crate::$module::$promise(store::Projections::from(store)).await;
                }
            )*)*
        }
    };
}

contract! {
    writing:
        acquiring_raises_the_epoch
        another_log_is_refused
        a_batch_reads_back_exactly
        an_opening_is_what_was_committed
        partitions_do_not_mix
        a_batch_of_an_earlier_epoch_is_fenced
        a_batch_from_elsewhere_is_fenced
        the_same_batch_twice_is_fenced
        a_partition_that_nobody_took_is_fenced
        what_is_there_fences_a_forged_head
        a_writer_goes_on_after_a_refusal
        what_changes_is_written_over
        a_wallet_keeps_its_number
        large_batches_read_back_exactly
        a_large_batch_is_fenced_like_any_other
        any_text_reads_back_exactly
        amounts_keep_the_places_they_were_given;
    leases:
        a_free_partition_is_claimed_once
        a_beat_renews_what_a_node_holds
        what_ran_out_is_anybodys
        what_is_released_is_free_at_once
        a_node_that_leaves_holds_nothing
        a_claim_of_another_log_takes_nothing
        who_acquires_takes_the_lease_away
        an_epoch_is_a_fence_whatever_the_lease_says;
    reading:
        wallets_are_found_by_id
        wallets_are_listed_by_id
        due_wallets_come_soonest_first
        ids_are_found_among_many
        counters_are_found_by_key
        a_wallets_history_is_filtered_and_paged
        only_usage_is_listed_as_usage
        grants_and_lots_are_listed_and_scanned
        a_stretch_of_records_is_read_alone;
    past:
        what_left_is_found_by_family_grant_and_purchase
        the_last_of_what_left_counts
        what_paid_overage_is_found_by_month
        corrections_and_unpriced_usage_are_found
        grants_of_one_record_stay_together;
}
