# A network of its own: who is in it reaches Redis.

resource "google_compute_network" "this" {
  name                    = "graph2kafka"
  auto_create_subnetworks = false
  depends_on              = [google_project_service.used]
}

# An instance of Cloud Run takes an address, and during an update two.
resource "google_compute_subnetwork" "this" {
  name                     = "graph2kafka"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = "10.8.0.0/24"
  private_ip_google_access = true
}

# Lets Memorystore make its endpoints in the subnet.
resource "google_network_connectivity_service_connection_policy" "redis" {
  name          = "graph2kafka-redis"
  location      = var.region
  service_class = "gcp-memorystore"
  network       = google_compute_network.this.id
  psc_config {
    subnetworks = [google_compute_subnetwork.this.id]
  }
}
