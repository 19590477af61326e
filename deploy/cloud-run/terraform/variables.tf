variable "project" {
  description = "Id of the Google Cloud project that everything is made in."
  type        = string
}

variable "region" {
  description = "Region of everything, such as europe-west1. Cloud Run, Memorystore for Valkey and Managed Kafka have to be there."
  type        = string
}

variable "azure_tenant_id" {
  description = "Tenant whose changes are read (Entra: \"Directory (tenant) ID\")."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.azure_tenant_id))
    error_message = "It is a GUID."
  }
}

variable "azure_client_id" {
  description = "App registration that reads them (Entra: \"Application (client) ID\")."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.azure_client_id))
    error_message = "It is a GUID."
  }
}

variable "image_tag" {
  description = "Tag of both images in the registry. Empty: everything but the services is made, so that images and secrets can follow."
  type        = string
  default     = ""
}

variable "receiver_max_instances" {
  description = "Most instances of the receiver."
  type        = number
  default     = 10
}

variable "worker_instances" {
  description = "Workers; one at least renews the subscriptions."
  type        = number
  default     = 1
  validation {
    condition     = var.worker_instances >= 1
    error_message = "One worker at least has to run: it renews the subscriptions."
  }
}

variable "redis_node_type" {
  description = "Size of Memorystore; STANDARD_SMALL has 6.5 GB, enough for several million waiting notifications."
  type        = string
  default     = "STANDARD_SMALL"
}

variable "kafka_brokers" {
  description = "Bootstrap brokers of a Kafka that is there already (Confluent Cloud, your own). Empty: a cluster of Managed Service for Apache Kafka is made."
  type        = string
  default     = ""
}

variable "settings" {
  description = "Further settings of both services by their names in docs/operations.md: how to sign in to kafka_brokers, for example. Secrets as gcpsecretmanager://PROJECT/SECRET/latest; the worker's account needs roles/secretmanager.secretAccessor on them."
  type = object({
    receiver = optional(map(string), {})
    worker   = optional(map(string), {})
  })
  default = {}
}

variable "admins" {
  description = "Who may open the pages, such as [\"user:eve@contoso.com\", \"group:ops@contoso.com\"]."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether Redis and the services refuse to be deleted."
  type        = bool
  default     = true
}
