# Memorystore for Valkey, not for Redis: only that one can write each change to disk before it confirms it (AOF, ALWAYS),
# which is what a 202 to Graph promises. It hides its settings, hence REDIS_DURABILITY=declared.

resource "google_memorystore_instance" "redis" {
  instance_id    = "graph2kafka"
  location       = var.region
  engine_version = "VALKEY_8_0"
  node_type      = var.redis_node_type
  shard_count    = 1
  replica_count  = 1
  mode           = "CLUSTER_DISABLED"

  # TLS; whoever is in the network may connect. Its other way to sign in, IAM, is for tokens that end within the hour.
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  authorization_mode      = "AUTH_DISABLED"

  engine_configs = {
    "maxmemory-policy" = "noeviction"
  }
  persistence_config {
    mode = "AOF"
    aof_config {
      append_fsync = "ALWAYS"
    }
  }
  desired_auto_created_endpoints {
    project_id = var.project
    network    = google_compute_network.this.id
  }
  deletion_protection_enabled = var.deletion_protection

  depends_on = [google_network_connectivity_service_connection_policy.redis]
}

locals {
  redis_endpoints = flatten([
    for endpoint in google_memorystore_instance.redis.endpoints : [
      for connection in endpoint.connections : connection.psc_auto_connection
    ]
  ])
  redis_primary = one([
    for endpoint in local.redis_endpoints : endpoint if endpoint.connection_type == "CONNECTION_TYPE_PRIMARY"
  ])
  redis_url = "rediss://${local.redis_primary.ip_address}:${local.redis_primary.port}"
  redis_ca  = join("\n", flatten(google_memorystore_instance.redis.managed_server_ca[*].ca_certs[*].certificates))
}
