#include "runtime/metrics/alert_table.hpp"

#include <array>

namespace hypermesh::metrics {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array rows = {
    alert_row{"HypermeshReplicaDown", R"(up{job="hypermesh"} == 0)", minutes{1}, "critical",
              "{{ $labels.instance }} does not answer",
              "Look at the log of the replica and start it again. Of 3f + 1 replicas, f may be down."},
    alert_row{"HypermeshNoQuorum",
              // A quorum is (n + f + 1) / 2, rounded up, with f = (n - 1) / 3, rounded down.
              R"(sum(up{job="hypermesh"}) < ceil((count(up{job="hypermesh"}) + )"
              R"(floor((count(up{job="hypermesh"}) - 1) / 3) + 1) / 2))",
              seconds{30}, "critical", "fewer replicas answer than a quorum, so no request is ordered",
              "Start the replicas that are down; check addresses and network."},
    alert_row{"HypermeshNodeFailed", R"(hypermesh_node_failures_total{job="hypermesh"} > 0)", seconds{0}, "critical",
              "{{ $labels.instance }} stopped taking part in the protocol, although its process runs",
              "The log of the host application names the cause and the remedy; start the node again. The process of "
              "hypermesh start ends instead, and HypermeshReplicaDown fires."},
    alert_row{"HypermeshReplicaConvicted",
              R"(count by (replica) (hypermesh_quarantined{job="hypermesh"} == 1) > )"
              R"(scalar((count(up{job="hypermesh"}) - 1) / 3))",
              seconds{0}, "critical", "replica {{ $labels.replica }} is convicted of misbehaviour",
              "Examine its machine and its key: hypermesh audit show. If it is repaired, f + 1 operators release it: "
              "hypermesh release."},
    alert_row{"HypermeshReplicaLags",
              // Prometheus reads the replicas one after the other: between the first and the last reading a loaded
              // group executes thousands of batches. A reading from an earlier time is not affected.
              R"(scalar(quantile(0.5, hypermesh_last_executed_sequence{job="hypermesh"} offset 1m)) - )"
              R"(hypermesh_last_executed_sequence{job="hypermesh"} > 0)",
              minutes{2}, "warning",
              "{{ $labels.instance }} lags by more than a minute: by {{ $value }} batches and those of this minute",
              "Check its links (hypermesh_link_up), its disk (hypermesh_storage_write_seconds) and its processor."},
    alert_row{"HypermeshDiskNearlyFull",
              R"(hypermesh_disk_free_bytes{job="hypermesh"} / hypermesh_disk_size_bytes{job="hypermesh"} < 0.1)",
              minutes{1}, "critical",
              "the disk of the {{ $labels.directory }} directory of {{ $labels.instance }} is nearly full",
              "Free space or enlarge the disk. A replica whose disk is full stops."},
    alert_row{"HypermeshDiskSlow",
              R"(histogram_quantile(0.99, sum by (instance, le) )"
              R"((rate(hypermesh_storage_write_seconds_bucket{job="hypermesh"}[5m]))) > 0.1)",
              minutes{10}, "warning", "a write of {{ $labels.instance }} takes {{ $value }} seconds",
              "Check the disk. Every vote waits for a write."},
    alert_row{"HypermeshStateDiverged", R"(increase(hypermesh_divergences_total{job="hypermesh"}[1h]) > 0)", seconds{0},
              "critical", "the state of {{ $labels.instance }} differs from the certified one",
              "Keep its files for an investigation. The replica repairs its state by itself."},
    alert_row{"HypermeshNoProgress",
              R"(hypermesh_requests_pending{job="hypermesh"} > 0 and )"
              R"(rate(hypermesh_requests_executed_total{job="hypermesh"}[2m]) == 0)",
              minutes{2}, "critical", "requests wait at {{ $labels.instance }} and none is executed",
              "Check whether a quorum is connected: hypermesh status."},
    alert_row{"HypermeshWaitsForView", R"(hypermesh_view_active{job="hypermesh"} == 0)", minutes{1}, "critical",
              "{{ $labels.instance }} waits for the NEW-VIEW",
              "Check whether a quorum is connected: hypermesh status."},
    alert_row{"HypermeshViewsChangeOften", R"(increase(hypermesh_views_entered_total{job="hypermesh"}[10m]) > 5)",
              seconds{0}, "warning", "{{ $labels.instance }} entered {{ $value }} views in ten minutes",
              "Its log names the suspected primaries. If they are correct, raise the time-outs of [views]."},
    alert_row{"HypermeshLinkDown",
              R"(hypermesh_link_up{job="hypermesh"} == 0 and on () sum(up{job="hypermesh"}) == )"
              R"(count(up{job="hypermesh"}))",
              minutes{2}, "warning",
              "{{ $labels.instance }} has no link to replica {{ $labels.replica }}, although all replicas run",
              "Check the network between them, and their addresses: hypermesh status."},
    alert_row{"HypermeshOnProbation", R"(hypermesh_on_probation{job="hypermesh"} == 1)", minutes{15}, "warning",
              "{{ $labels.instance }} lost its disk and does not vote yet",
              "The group readmits it by itself if a quorum of the others is connected: hypermesh status."},
    alert_row{"HypermeshAuditInterrupted", R"(increase(hypermesh_audit_interruptions_total{job="hypermesh"}[10m]) > 0)",
              seconds{0}, "warning", "the audit trail of {{ $labels.instance }} has a gap",
              "Check the disk of the audit directory."},
    alert_row{"HypermeshFilesNearlyUsed",
              R"(hypermesh_process_open_files{job="hypermesh"} / )"
              R"(hypermesh_process_open_files_limit{job="hypermesh"} > 0.9)",
              minutes{5}, "warning", "{{ $labels.instance }} has nearly no open files left",
              "Raise the limit of open files (ulimit -n)."},
};

}  // namespace

std::span<const alert_row> alert_table() { return rows; }

}  // namespace hypermesh::metrics
