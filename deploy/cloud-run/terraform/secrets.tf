# Places for secrets. Their values are added by hand (docs/deploy/cloud-run.md), so that none is in Terraform's state.

resource "google_secret_manager_secret" "this" {
  for_each  = toset(["client-state", "admin-password", "subscriptions", "redis-ca"])
  secret_id = "graph2kafka-${each.value}"
  replication {
    auto {}
  }
  depends_on = [google_project_service.used]
}

# Certificates of Memorystore's authority: nothing secret, but files come to Cloud Run as secrets.
resource "google_secret_manager_secret_version" "redis_ca" {
  secret      = google_secret_manager_secret.this["redis-ca"].id
  secret_data = local.redis_ca
}

locals {
  readers = {
    receiver = ["client-state", "redis-ca"]
    worker   = ["client-state", "redis-ca", "admin-password", "subscriptions"]
  }
  accounts = {
    receiver = google_service_account.receiver.member
    worker   = google_service_account.worker.member
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for reader, secrets in local.readers : {
      for secret in secrets : "${reader}/${secret}" => { member = local.accounts[reader], secret = secret }
    }
  ]...)
  secret_id = google_secret_manager_secret.this[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}
