# Managed Service for Apache Kafka, unless kafka_brokers names another one. The worker signs in as its account.

resource "google_managed_kafka_cluster" "this" {
  count      = var.kafka_brokers == "" ? 1 : 0
  cluster_id = "graph2kafka"
  location   = var.region
  # The smallest that there is.
  capacity_config {
    vcpu_count   = 3
    memory_bytes = 3221225472
  }
  gcp_config {
    access_config {
      network_configs {
        subnet = google_compute_subnetwork.this.id
      }
    }
  }
  depends_on = [google_project_service.used]
}

resource "google_managed_kafka_topic" "this" {
  for_each           = var.kafka_brokers == "" ? toset(["graph.events", "graph.events.dlq"]) : toset([])
  cluster            = google_managed_kafka_cluster.this[0].cluster_id
  topic_id           = each.value
  location           = var.region
  partition_count    = 12
  replication_factor = 3
  configs = {
    "message.timestamp.type" = "LogAppendTime"
    "min.insync.replicas"    = "2"
  }
}

resource "google_project_iam_member" "kafka" {
  count   = var.kafka_brokers == "" ? 1 : 0
  project = var.project
  role    = "roles/managedkafka.client"
  member  = google_service_account.worker.member
}

locals {
  kafka_env = var.kafka_brokers == "" ? {
    KAFKA_BROKERS        = "bootstrap.${google_managed_kafka_cluster.this[0].cluster_id}.${var.region}.managedkafka.${var.project}.cloud.goog:9092"
    KAFKA_PROFILE        = "google-cloud"
    KAFKA_SASL_MECHANISM = "OAUTHBEARER"
  } : { KAFKA_BROKERS = var.kafka_brokers }
}
