{{- define "graph2kafka.name" -}}
{{- if contains "graph2kafka" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-graph2kafka" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* Given a list: the root, and receiver, worker or admin. */}}
{{- define "graph2kafka.serviceAccount" -}}
{{- $root := index . 0 -}}
{{- $isReceiver := eq (index . 1) "receiver" -}}
{{- $accounts := $root.Values.serviceAccount -}}
{{- $made := printf "%s%s" (include "graph2kafka.name" $root) (ternary "-receiver" "" $isReceiver) -}}
{{- ternary $accounts.receiver.name $accounts.name $isReceiver | default (ternary $made "default" $accounts.create) }}
{{- end }}

{{- /* Given a list: the root, and receiver, worker or admin. */}}
{{- define "graph2kafka.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: graph2kafka
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "graph2kafka.labels" -}}
{{- $root := index . 0 -}}
{{ include "graph2kafka.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{- /* YAML reads numbers as floats, and 33554432 would be written as 3.3554432e+07. */}}
{{- define "graph2kafka.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- /* Given a list: the root, and receiver or worker. What of .Values.settings belongs to it, as a map. */}}
{{- define "graph2kafka.settings" -}}
{{- $root := index . 0 -}}
{{- $known := index ($root.Files.Get "files/settings.yaml" | fromYaml) (index . 1) -}}
{{- range $name, $value := $root.Values.settings }}
{{- if has $name (concat $known.settings $known.secrets) }}
{{ $name }}: {{ include "graph2kafka.text" $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Given a list: the root, and receiver, worker or admin. The settings in the Secret that its pods get: {names: []}. */}}
{{- define "graph2kafka.secretSettings" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $of := ternary "receiver" "worker" (eq $component "receiver") -}}
{{- $known := index ($root.Files.Get "files/settings.yaml" | fromYaml) $of -}}
{{- $names := list -}}
{{- range $root.Values.secrets.settings }}
{{- $pagesElsewhere := and (eq . "ADMIN_PASSWORD") (eq $component "worker") $root.Values.admin.enabled -}}
{{- if and (has . $known.secrets) (not $pagesElsewhere) }}{{ $names = append $names . }}{{ end }}
{{- end -}}
names: {{ $names | toJson }}
{{- end }}

{{- define "graph2kafka.hasSubscriptions" -}}
{{- if or .Values.subscriptions .Values.existingSubscriptionsConfigMap }}yes{{ end }}
{{- end }}

{{- /* Given a list: the root, seconds until a pod is killed, its name in the values. Both services need a second after the grace. */}}
{{- define "graph2kafka.checkGrace" -}}
{{- $needed := add 1 (div (add (int64 ((index . 0).Values.settings.SHUTDOWN_GRACE_MS | default 8000)) 999) 1000) -}}
{{- if lt (int64 (index . 1)) $needed }}
{{- fail (printf "%s.terminationGracePeriodSeconds must be %d at least, a second more than SHUTDOWN_GRACE_MS" (index . 2) $needed) }}
{{- end }}
{{- end }}

{{- /* What the schema of the values cannot say. */}}
{{- define "graph2kafka.checkSettings" -}}
{{- $known := .Files.Get "files/settings.yaml" | fromYaml -}}
{{- $secrets := concat $known.receiver.secrets $known.worker.secrets -}}
{{- $all := concat $known.receiver.settings $known.worker.settings $secrets -}}
{{- range $name, $_ := .Values.settings }}
{{- if has $name $known.chart }}{{ fail (printf "settings.%s: the chart sets it" $name) }}{{ end }}
{{- if not (has $name $all) }}{{ fail (printf "settings.%s: there is no such setting" $name) }}{{ end }}
{{- if has $name $.Values.secrets.settings }}{{ fail (printf "settings.%s: it is in secrets.settings too" $name) }}{{ end }}
{{- end }}
{{- range .Values.secrets.settings }}
{{- if not (has . $secrets) }}{{ fail (printf "secrets.settings: %s is no setting that holds a secret" .) }}{{ end }}
{{- end }}
{{- end }}
