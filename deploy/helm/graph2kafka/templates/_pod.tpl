{{- /*
The pod of a component. Given a map: root, component (receiver, worker or admin), container (YAML that only this
container has), grace (seconds).
*/}}
{{- define "graph2kafka.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $component := .component -}}
{{- $service := ternary "receiver" "worker" (eq $component "receiver") -}}
{{- $isWorker := eq $service "worker" -}}
{{- $secrets := (include "graph2kafka.secretSettings" (list $root $component) | fromYaml).names -}}
metadata:
  labels:
    {{- include "graph2kafka.labels" (list $root $component) | nindent 4 }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    checksum/settings: {{ include "graph2kafka.settings" (list $root $service) | sha256sum }}
    {{- if and $isWorker $values.subscriptions }}
    checksum/subscriptions: {{ $values.subscriptions | sha256sum }}
    {{- end }}
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "graph2kafka.serviceAccount" (list $root $component) }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if .grace }}
  terminationGracePeriodSeconds: {{ .grace }}
  {{- end }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "graph2kafka.selectorLabels" (list $root $component) | nindent 10 }}
    {{- end }}
  containers:
    - name: {{ $component }}
      image: {{ printf "%s/%s:%s" $values.image.registry $service ($values.image.tag | default $root.Chart.AppVersion) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      {{- with .container }}{{ . | nindent 6 }}{{ end }}
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      envFrom:
        - configMapRef:
            name: {{ include "graph2kafka.name" $root }}-{{ $service }}
      env:
        {{- if $isWorker }}
        - { name: WORKER_ROLE, value: {{ ternary "admin" "worker" (eq $component "admin") }} }
        - { name: ADMIN_PORT, value: "9090" }
        - { name: ADMIN_HOST, value: 0.0.0.0 }
        {{- if include "graph2kafka.hasSubscriptions" $root }}
        - { name: SUBSCRIPTIONS_FILE, value: /etc/graph2kafka/subscriptions.yaml }
        {{- end }}
        {{- if $values.encryptionKeys.existingSecret }}
        - { name: ENCRYPTION_KEYS, value: "file:/run/keys/" }
        {{- end }}
        {{- if $values.federatedToken.enabled }}
        - { name: AZURE_FEDERATED_TOKEN_FILE, value: /run/federated/token }
        {{- end }}
        {{- else }}
        - { name: PORT, value: "8080" }
        - { name: METRICS_PORT, value: "9090" }
        - { name: METRICS_HOST, value: 0.0.0.0 }
        {{- end }}
        {{- range $secrets }}
        - { name: {{ . }}, value: "file:/run/secrets/graph2kafka/{{ . }}" }
        {{- end }}
        {{- with $values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if $secrets }}
        - { name: secrets, mountPath: /run/secrets/graph2kafka, readOnly: true }
        {{- end }}
        {{- if $isWorker }}
        {{- if include "graph2kafka.hasSubscriptions" $root }}
        - { name: subscriptions, mountPath: /etc/graph2kafka, readOnly: true }
        {{- end }}
        {{- if $values.encryptionKeys.existingSecret }}
        - { name: encryption-keys, mountPath: /run/keys, readOnly: true }
        {{- end }}
        {{- if $values.federatedToken.enabled }}
        - { name: federated-token, mountPath: /run/federated, readOnly: true }
        {{- end }}
        {{- end }}
        {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    {{- if $secrets }}
    - name: secrets
      secret:
        secretName: {{ required "secrets.settings needs secrets.existingSecret" $values.secrets.existingSecret }}
        defaultMode: 0440
        items:
          {{- range $secrets }}
          - { key: {{ . }}, path: {{ . }} }
          {{- end }}
    {{- end }}
    {{- if $isWorker }}
    {{- if include "graph2kafka.hasSubscriptions" $root }}
    - name: subscriptions
      configMap:
        name: {{ $values.existingSubscriptionsConfigMap | default (printf "%s-subscriptions" (include "graph2kafka.name" $root)) }}
    {{- end }}
    {{- with $values.encryptionKeys.existingSecret }}
    - name: encryption-keys
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- if $values.federatedToken.enabled }}
    - name: federated-token
      projected:
        defaultMode: 0440
        sources:
          - serviceAccountToken:
              path: token
              audience: {{ $values.federatedToken.audience }}
              expirationSeconds: 3600
    {{- end }}
    {{- end }}
    {{- with $values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end }}

{{- /* Given the port's name. A service that never starts is restarted after a minute; one that hangs after half of it. */}}
{{- define "graph2kafka.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: {{ . }} }
  periodSeconds: 1
  timeoutSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: { path: /readyz, port: {{ . }} }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /healthz, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
