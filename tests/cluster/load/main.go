// load writes a large synthetic cluster straight into etcd, where an API server finds it as if it had always been there:
// 5,000 nodes and 150,000 pods take seconds, which through the API server would take half an hour.
//
// Objects are as large and as varied as those of a real cluster (a pod is about 5 KB of JSON: probes, environment,
// managed fields), because what a client pays for is mostly what it skips. What is written depends on the arguments
// alone, so two runs give the same cluster.
//
// The last word of its output is the etcd revision of the last write. With -churn it updates pods until it is killed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Objects a transaction; etcd refuses more than 128.
const batch = 100

// Transactions under way at once.
const writers = 16

type object map[string]any

// epoch is when the first object was created. Fixed, so that an update does not make a pod younger.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func stamp(after time.Duration) string { return epoch.Add(after).Format(time.RFC3339) }

// An instance type with what a kubelet would leave to pods, in millicores and MiB.
var instanceTypes = []struct {
	name, architecture string
	cpu, memory        int
}{
	{"m5.2xlarge", "amd64", 7910, 30000},
	{"c5a.4xlarge", "amd64", 15890, 28000},
	{"r6i.2xlarge", "amd64", 7910, 61000},
	{"m7g.4xlarge", "arm64", 15890, 60000},
	{"c6i.8xlarge", "amd64", 31850, 60000},
}

var (
	pools         = []string{"general-purpose", "batch", "web", "data", "system"}
	capacityTypes = []string{"on-demand", "spot", "spot"}
)

func nodeName(i int) string {
	return fmt.Sprintf("ip-10-%d-%d-%d.ap-northeast-2.compute.internal", i/62500%250, i/250%250, i%250)
}

func node(i int) (key string, value object) {
	name, kind := nodeName(i), instanceTypes[i%len(instanceTypes)]
	zone := fmt.Sprintf("ap-northeast-2%c", 'a'+i%3)
	instance := fmt.Sprintf("i-%017x", 0x0a0000000000000+i)
	family, _, _ := strings.Cut(kind.name, ".")
	created := time.Duration(i) * time.Minute

	condition := func(kind, status, reason, message string) object {
		return object{
			"type": kind, "status": status, "reason": reason, "message": message,
			"lastHeartbeatTime": stamp(created + time.Hour), "lastTransitionTime": stamp(created + time.Minute),
		}
	}
	quantities := func(storage string) object {
		return object{
			"cpu": fmt.Sprintf("%dm", kind.cpu), "memory": fmt.Sprintf("%dMi", kind.memory),
			"pods": "110", "ephemeral-storage": storage,
		}
	}
	// A kubelet reports up to 50 images, which are most of a node's size.
	images := make([]object, 20)
	for k := range images {
		repository := fmt.Sprintf("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/team/app-%d", k)
		images[k] = object{
			"names":     []string{fmt.Sprintf("%s@sha256:%064d", repository, k), fmt.Sprintf("%s:v1.%d", repository, k)},
			"sizeBytes": 100_000_000 + k,
		}
	}
	return "/registry/minions/" + name, object{
		"apiVersion": "v1", "kind": "Node",
		"metadata": object{
			"name":              name,
			"uid":               fmt.Sprintf("00000000-0000-4000-8000-%012d", i),
			"creationTimestamp": stamp(created),
			"labels": object{
				"beta.kubernetes.io/arch":           kind.architecture,
				"beta.kubernetes.io/os":             "linux",
				"karpenter.k8s.aws/instance-cpu":    fmt.Sprint(kind.cpu/1000 + 1),
				"karpenter.k8s.aws/instance-family": family,
				"karpenter.k8s.aws/instance-memory": fmt.Sprint(kind.memory),
				"karpenter.sh/capacity-type":        capacityTypes[i%len(capacityTypes)],
				"karpenter.sh/initialized":          "true",
				"karpenter.sh/nodepool":             pools[i%len(pools)],
				"karpenter.sh/registered":           "true",
				"kubernetes.io/arch":                kind.architecture,
				"kubernetes.io/hostname":            name,
				"kubernetes.io/os":                  "linux",
				"node.kubernetes.io/instance-type":  kind.name,
				"topology.k8s.aws/zone-id":          fmt.Sprintf("apne2-az%d", i%3+1),
				"topology.kubernetes.io/region":     "ap-northeast-2",
				"topology.kubernetes.io/zone":       zone,
			},
			"annotations": object{
				"csi.volume.kubernetes.io/nodeid":                        fmt.Sprintf(`{"ebs.csi.aws.com":"%s"}`, instance),
				"node.alpha.kubernetes.io/ttl":                           "0",
				"volumes.kubernetes.io/controller-managed-attach-detach": "true",
			},
		},
		"spec": object{"providerID": fmt.Sprintf("aws:///%s/%s", zone, instance)},
		"status": object{
			"capacity":    quantities("80Gi"),
			"allocatable": quantities("70Gi"),
			"conditions": []object{
				condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
				condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
				condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
			},
			"addresses": []object{{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name}},
			"nodeInfo": object{
				"machineID": "ec2", "systemUUID": "ec2", "bootID": "ec2", "kernelVersion": "6.1.0", "osImage": "Amazon Linux 2023",
				"containerRuntimeVersion": "containerd://1.7.27", "kubeletVersion": "v1.36.3", "kubeProxyVersion": "",
				"operatingSystem": "linux", "architecture": kind.architecture,
			},
			"images": images,
		},
	}
}

// managedFields of two managers, as a Deployment's pod has them.
var managedFields = func() []object {
	fields := json.RawMessage(`{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},` +
		`"f:ownerReferences":{".":{},"k:{\"uid\":\"a\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c0\"}":{".":{},` +
		`"f:env":{".":{},"k:{\"name\":\"ENV_0\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:imagePullPolicy":{},` +
		`"f:name":{},"f:resources":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{}},` +
		`"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:status":{}}}}}`)
	entry := func(manager string) object {
		return object{
			"manager": manager, "operation": "Update", "apiVersion": "v1", "time": stamp(0),
			"fieldsType": "FieldsV1", "fieldsV1": fields,
		}
	}
	return []object{entry("kube-controller-manager"), entry("kubelet")}
}()

// pod is the i-th of all, on node i modulo nodes. revision counts updates: each changes the restart count, and every
// second one the cpu request, so that a viewer's sums have to move.
func pod(i, nodes, revision int) (key string, value object) {
	app := i % 3000
	namespace, name := fmt.Sprintf("team-%d", i%200), fmt.Sprintf("app-%d-7d9f8b6c5d-%05x", app, i)
	cpu := 50 + i%7*25 + revision%2*25

	env := make([]object, 12)
	for k := range env {
		env[k] = object{"name": fmt.Sprintf("ENV_%d", k), "value": fmt.Sprintf("value-%d-%d", k, i)}
	}
	containers, statuses := make([]object, 2), make([]object, 2)
	for k := range containers {
		name, image := fmt.Sprintf("c%d", k), fmt.Sprintf("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app-%d:v1.2.%d", k, i)
		containers[k] = object{
			"name": name, "image": image, "env": env,
			"ports": []object{{"name": "http", "containerPort": 8080, "protocol": "TCP"}},
			"resources": object{
				"requests": object{"cpu": fmt.Sprintf("%dm", cpu), "memory": "256Mi"},
				"limits":   object{"cpu": "1", "memory": "1Gi"},
			},
			"volumeMounts": []object{{"name": "token", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}},
			"livenessProbe": object{
				"httpGet":             object{"path": "/healthz", "port": 8080, "scheme": "HTTP"},
				"initialDelaySeconds": 10, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
			},
			"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
		}
		statuses[k] = object{
			"name": name, "ready": true, "restartCount": revision, "image": image, "imageID": "sha256:0", "containerID": "containerd://0",
			"state": object{"running": object{"startedAt": stamp(5 * time.Second)}},
		}
	}
	return "/registry/pods/" + namespace + "/" + name, object{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": object{
			"name": name, "namespace": namespace, "generateName": fmt.Sprintf("app-%d-7d9f8b6c5d-", app),
			"uid":               fmt.Sprintf("0b9c8d7e-1111-4222-8333-%012d", i),
			"creationTimestamp": stamp(time.Duration(i) * time.Second),
			"labels":            object{"app": fmt.Sprintf("app-%d", app), "pod-template-hash": "7d9f8b6c5d", "team": fmt.Sprintf("t%d", i%50)},
			"annotations":       object{"prometheus.io/scrape": "true", "checksum/config": "abcdefabcdefabcdefabcdefabcdefabcdef"},
			"ownerReferences": []object{{
				"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": fmt.Sprintf("app-%d-7d9f8b6c5d", app),
				"uid": fmt.Sprintf("1c9c8d7e-1111-4222-8333-%012d", app), "controller": true, "blockOwnerDeletion": true,
			}},
			"managedFields": managedFields,
		},
		"spec": object{
			"volumes": []object{{"name": "token", "projected": object{
				"sources":     []object{{"serviceAccountToken": object{"expirationSeconds": 3607, "path": "token"}}},
				"defaultMode": 420,
			}}},
			"containers": containers, "nodeName": nodeName(i % nodes), "serviceAccountName": "default",
			"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
			"schedulerName": "default-scheduler", "priority": 0, "enableServiceLinks": true,
			"tolerations": []object{{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}},
		},
		"status": object{
			"phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.1.2.3", "startTime": stamp(0), "qosClass": "Burstable",
			"conditions": []object{
				{"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(0)},
				{"type": "Ready", "status": "True", "lastTransitionTime": stamp(10 * time.Second)},
			},
			"containerStatuses": statuses,
		},
	}
}

func encode(value object) string {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatalf("failed to encode an object of ours: %v", err)
	}
	return string(text)
}

// put writes objects 0 to total-1 of a kind, and returns the revision after the last of them.
func put(etcd *clientv3.Client, total int, nth func(int) (string, object)) int64 {
	starts := make(chan int)
	go func() {
		for start := 0; start < total; start += batch {
			starts <- start
		}
		close(starts)
	}()
	var all sync.WaitGroup
	var lock sync.Mutex
	var newest int64
	for range writers {
		all.Go(func() {
			for start := range starts {
				var writes []clientv3.Op
				for i := start; i < min(start+batch, total); i++ {
					key, value := nth(i)
					writes = append(writes, clientv3.OpPut(key, encode(value)))
				}
				answer, err := etcd.Txn(context.Background()).Then(writes...).Commit()
				if err != nil {
					log.Fatalf("failed to write objects %d to %d: %v", start, start+len(writes)-1, err)
				}
				lock.Lock()
				newest = max(newest, answer.Header.Revision)
				lock.Unlock()
			}
		})
	}
	all.Wait()
	return newest
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	endpoint := flag.String("etcd", "http://127.0.0.1:16444", "etcd's client address")
	nodes := flag.Int("nodes", 500, "nodes to write, or, with -churn, that are there")
	pods := flag.Int("pods", 15000, "pods to write, or, with -churn, that are there")
	churn := flag.Int("churn", 0, "write nothing new; update this many pods a second until killed")
	flag.Parse()
	if *nodes < 1 || *pods < 1 || *churn < 0 || flag.NArg() > 0 {
		log.Fatal("-nodes and -pods are at least 1, -churn at least 0, and there are no other arguments")
	}

	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second})
	if err != nil {
		log.Fatalf("failed to reach etcd at %s: %v", *endpoint, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := etcd.Status(ctx, *endpoint); err != nil {
		log.Fatalf("failed to reach etcd at %s: %v", *endpoint, err)
	}

	if *churn > 0 {
		tick := time.NewTicker(time.Second / time.Duration(*churn))
		for count := 0; ; count++ {
			<-tick.C
			// Steps of a prime spread the updates over all nodes, and come round to every pod unless it divides their number.
			key, value := pod(count*7919%*pods, *nodes, count+1)
			if _, err := etcd.Put(context.Background(), key, encode(value)); err != nil {
				log.Fatalf("failed to update %s: %v", key, err)
			}
		}
	}

	start := time.Now()
	revision := put(etcd, *nodes, node)
	revision = max(revision, put(etcd, *pods, func(i int) (string, object) { return pod(i, *nodes, 0) }))
	fmt.Printf("wrote %d nodes and %d pods in %.1f s, up to revision %d\n", *nodes, *pods, time.Since(start).Seconds(), revision)
}
