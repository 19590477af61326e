# Receiver, workers and pages, once the images are there (image_tag). The same as ../*.yaml.

locals {
  deployed = var.image_tag == "" ? 0 : 1
  images   = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
  receiver = "graph2kafka-receiver"
  # Cloud Run's own address of the receiver, known before it is made.
  public_url = "https://${local.receiver}-${data.google_project.this.number}.${var.region}.run.app"
  secrets    = "gcpsecretmanager://${var.project}/graph2kafka"

  shared_env = {
    REDIS_URL            = local.redis_url
    REDIS_DURABILITY     = "declared"
    CLIENT_STATE_SECRETS = "${local.secrets}-client-state/latest"
    GOOGLE_CLOUD_PROJECT = var.project
    NODE_EXTRA_CA_CERTS  = "/etc/redis/ca.pem"
  }
  receiver_env = merge(local.shared_env, var.settings.receiver)
  worker_env = merge(local.shared_env, local.kafka_env, {
    AZURE_TENANT_ID            = var.azure_tenant_id
    AZURE_CLIENT_ID            = var.azure_client_id
    AZURE_FEDERATION           = "google"
    NOTIFICATION_URL           = "${local.public_url}/events"
    LIFECYCLE_NOTIFICATION_URL = "${local.public_url}/lifecycle"
    SUBSCRIPTIONS_FILE         = "/etc/graph2kafka/subscriptions.yaml"
  }, var.settings.worker)
  pool_env  = merge(local.worker_env, { ADMIN_PORT = "9090" })
  admin_env = merge(local.worker_env, { WORKER_ROLE = "admin", ADMIN_PASSWORD = "${local.secrets}-admin-password/latest" })
  # Folder, secret, file.
  receiver_files = { redis-ca = ["/etc/redis", "ca.pem"] }
  worker_files   = merge(local.receiver_files, { subscriptions = ["/etc/graph2kafka", "subscriptions.yaml"] })
}

resource "google_cloud_run_v2_service" "receiver" {
  count    = local.deployed
  name     = local.receiver
  location = var.region
  ingress  = "INGRESS_TRAFFIC_ALL"
  # Graph signs in nowhere; the clientState says what is ours.
  invoker_iam_disabled = true
  deletion_protection  = var.deletion_protection

  template {
    service_account                  = google_service_account.receiver.email
    max_instance_request_concurrency = 500
    timeout                          = "15s"
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    # Graph counts answers after 3 s: no first request may wait for a start.
    scaling {
      min_instance_count = 1
      max_instance_count = var.receiver_max_instances
    }
    vpc_access {
      network_interfaces {
        network    = google_compute_network.this.id
        subnetwork = google_compute_subnetwork.this.id
      }
      egress = "PRIVATE_RANGES_ONLY"
    }
    containers {
      image = "${local.images}/receiver:${var.image_tag}"
      ports {
        name           = "http1"
        container_port = 8080
      }
      resources {
        limits = { cpu = "1", memory = "512Mi" }
        # CPU always: the connection to Redis is kept alive and watched between two requests.
        cpu_idle          = false
        startup_cpu_boost = true
      }
      dynamic "env" {
        for_each = local.receiver_env
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "volume_mounts" {
        for_each = local.receiver_files
        content {
          name       = volume_mounts.key
          mount_path = volume_mounts.value[0]
        }
      }
      startup_probe {
        http_get { path = "/healthz" }
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60
      }
      liveness_probe {
        http_get { path = "/healthz" }
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3
      }
    }
    dynamic "volumes" {
      for_each = local.receiver_files
      content {
        name = volumes.key
        secret {
          secret = google_secret_manager_secret.this[volumes.key].secret_id
          items {
            version = "latest"
            path    = volumes.value[1]
          }
        }
      }
    }
  }
  depends_on = [google_secret_manager_secret_iam_member.reader, google_secret_manager_secret_version.redis_ca]
}

resource "google_cloud_run_v2_worker_pool" "worker" {
  count               = local.deployed
  name                = "graph2kafka-worker"
  location            = var.region
  deletion_protection = var.deletion_protection

  scaling {
    manual_instance_count = var.worker_instances
  }
  template {
    service_account = google_service_account.worker.email
    vpc_access {
      network_interfaces {
        network    = google_compute_network.this.id
        subnetwork = google_compute_subnetwork.this.id
      }
      egress = "PRIVATE_RANGES_ONLY"
    }
    containers {
      image = "${local.images}/worker:${var.image_tag}"
      resources {
        limits = { cpu = "1", memory = "512Mi" }
      }
      dynamic "env" {
        for_each = local.pool_env
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "volume_mounts" {
        for_each = local.worker_files
        content {
          name       = volume_mounts.key
          mount_path = volume_mounts.value[0]
        }
      }
      startup_probe {
        http_get {
          path = "/healthz"
          port = 9090
        }
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60
      }
      liveness_probe {
        http_get {
          path = "/healthz"
          port = 9090
        }
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3
      }
    }
    dynamic "volumes" {
      for_each = local.worker_files
      content {
        name = volumes.key
        secret {
          secret = google_secret_manager_secret.this[volumes.key].secret_id
          items {
            version = "latest"
            path    = volumes.value[1]
          }
        }
      }
    }
  }
  # Graph asks the receiver for an echo while a worker makes a subscription.
  depends_on = [google_cloud_run_v2_service.receiver, google_managed_kafka_topic.this, google_project_iam_member.kafka]
}

# The pages: nothing leads into a worker pool, so that an instance without work shows them.
resource "google_cloud_run_v2_service" "admin" {
  count               = local.deployed
  name                = "graph2kafka-admin"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  template {
    service_account       = google_service_account.worker.email
    execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }
    vpc_access {
      network_interfaces {
        network    = google_compute_network.this.id
        subnetwork = google_compute_subnetwork.this.id
      }
      egress = "PRIVATE_RANGES_ONLY"
    }
    containers {
      image = "${local.images}/worker:${var.image_tag}"
      ports {
        name           = "http1"
        container_port = 8080
      }
      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }
      dynamic "env" {
        for_each = local.admin_env
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "volume_mounts" {
        for_each = local.worker_files
        content {
          name       = volume_mounts.key
          mount_path = volume_mounts.value[0]
        }
      }
      startup_probe {
        http_get { path = "/healthz" }
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60
      }
    }
    dynamic "volumes" {
      for_each = local.worker_files
      content {
        name = volumes.key
        secret {
          secret = google_secret_manager_secret.this[volumes.key].secret_id
          items {
            version = "latest"
            path    = volumes.value[1]
          }
        }
      }
    }
  }
  depends_on = [google_secret_manager_secret_iam_member.reader, google_secret_manager_secret_version.redis_ca]
}

resource "google_cloud_run_v2_service_iam_member" "admin" {
  for_each = local.deployed == 1 ? toset(var.admins) : toset([])
  name     = google_cloud_run_v2_service.admin[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}

# g2k: `gcloud run jobs execute graph2kafka-cli --wait` runs g2k doctor, with `--args` any other command.
resource "google_cloud_run_v2_job" "cli" {
  count               = local.deployed
  name                = "graph2kafka-cli"
  location            = var.region
  deletion_protection = var.deletion_protection

  template {
    template {
      service_account       = google_service_account.worker.email
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      max_retries           = 0
      vpc_access {
        network_interfaces {
          network    = google_compute_network.this.id
          subnetwork = google_compute_subnetwork.this.id
        }
        egress = "PRIVATE_RANGES_ONLY"
      }
      containers {
        image   = "${local.images}/worker:${var.image_tag}"
        command = ["g2k"]
        args    = ["doctor"]
        resources {
          limits = { cpu = "1", memory = "512Mi" }
        }
        dynamic "env" {
          for_each = local.worker_env
          content {
            name  = env.key
            value = env.value
          }
        }
        dynamic "volume_mounts" {
          for_each = local.worker_files
          content {
            name       = volume_mounts.key
            mount_path = volume_mounts.value[0]
          }
        }
      }
      dynamic "volumes" {
        for_each = local.worker_files
        content {
          name = volumes.key
          secret {
            secret = google_secret_manager_secret.this[volumes.key].secret_id
            items {
              version = "latest"
              path    = volumes.value[1]
            }
          }
        }
      }
    }
  }
  depends_on = [google_secret_manager_secret_iam_member.reader, google_secret_manager_secret_version.redis_ca]
}
