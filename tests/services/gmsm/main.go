// The opinion of github.com/emmansun/gmsm on SignedData by SM2: one line a file.
//
// judge ROOT.der UNIX-SECONDS FILE...  prints "ok SM3-OF-CONTENT" or "no WHY" for each.
package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"
)

func opinion(pool *smx509.CertPool, at time.Time, path string) (string, error) {
	encoded, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	signed, err := pkcs7.Parse(encoded)
	if err != nil {
		return "", err
	}
	if err := signed.VerifyWithChainAtTime(pool, &at); err != nil {
		return "", err
	}
	sum := sm3.Sum(signed.Content)
	return hex.EncodeToString(sum[:]), nil
}

func main() {
	encoded, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	root, err := smx509.ParseCertificate(encoded)
	if err != nil {
		panic(err)
	}
	seconds, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		panic(err)
	}
	pool := smx509.NewCertPool()
	pool.AddCert(root)
	for _, path := range os.Args[3:] {
		if found, err := opinion(pool, time.Unix(seconds, 0), path); err != nil {
			fmt.Printf("no %v\n", err)
		} else {
			fmt.Printf("ok %s\n", found)
		}
	}
}
