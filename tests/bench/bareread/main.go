// bareread is the yardstick of the benchmark: it reads what a viewer has to read, and does nothing with it. The lists of
// nodes and of pods that have not ended, in JSON pages of 500, one after the other over one connection, not compressed,
// not decoded, not kept. A viewer that asks in this way cannot be faster; what it takes longer is its own work.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"syscall"
	"time"
)

// The list's metadata comes before its items, so the token of the next page is in the first bytes.
var nextPage = regexp.MustCompile(`"continue":"([^"]+)"`)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bareread: ")
	server := flag.String("server", "https://127.0.0.1:16443", "the API server")
	ca := flag.String("ca", "", "file with the certificate of the server's authority")
	token := flag.String("token", "viewer-token", "bearer token")
	flag.Parse()

	authority, err := os.ReadFile(*ca)
	if err != nil {
		log.Fatalf("failed to read the certificate: %v", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		log.Fatalf("failed to find a certificate in %s", *ca)
	}
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: roots},
		DisableCompression: true,
		MaxConnsPerHost:    1,
	}}

	start := time.Now()
	var bytesRead, requests int64
	buffer := make([]byte, 64<<10)
	for _, path := range []string{
		"/api/v1/nodes?limit=500",
		"/api/v1/pods?limit=500&fieldSelector=" + url.QueryEscape("status.phase!=Succeeded,status.phase!=Failed"),
	} {
		next := ""
		for {
			page := *server + path
			if next != "" {
				page += "&continue=" + url.QueryEscape(next)
			}
			request, err := http.NewRequest(http.MethodGet, page, nil)
			if err != nil {
				log.Fatalf("failed to ask for %s: %v", page, err)
			}
			request.Header.Set("Authorization", "Bearer "+*token)
			request.Header.Set("Accept", "application/json")
			answer, err := client.Do(request)
			if err != nil {
				log.Fatalf("failed to read %s: %v", path, err)
			}
			if answer.StatusCode != http.StatusOK {
				log.Fatalf("failed to read %s: the server answered %s", path, answer.Status)
			}
			head := make([]byte, 4096)
			n, err := io.ReadFull(answer.Body, head)
			if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
				log.Fatalf("failed to read %s: %v", path, err)
			}
			rest, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, answer.Body, buffer)
			answer.Body.Close()
			if err != nil {
				log.Fatalf("failed to read %s: %v", path, err)
			}
			bytesRead += int64(n) + rest
			requests++
			// Only before the items: an object may well have a field of that name.
			head, _, _ = bytes.Cut(head[:n], []byte(`"items":`))
			found := nextPage.FindSubmatch(head)
			if found == nil {
				break
			}
			next = string(found[1])
		}
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatalf("failed to read our own CPU time: %v", err)
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	fmt.Printf("%.2f s, %.2f CPU s, %d MB in %d requests\n", time.Since(start).Seconds(), cpu.Seconds(), bytesRead/1_000_000, requests)
}
