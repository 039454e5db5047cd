// The opinion of github.com/emmansun/gmsm on SM2, SM3, SM4 and SM2 certificates.
//
// judge reads questions from stdin, one JSON object a line, and answers each with one JSON line:
// {"answer": …}, or {"error": WHY}. Bytes are hexadecimal.
package main

import (
	"bufio"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
)

type question map[string]string

func (q question) bytes(name string) []byte {
	content, err := hex.DecodeString(q[name])
	check(err)
	return content
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func private(q question) *sm2.PrivateKey {
	key, err := sm2.NewPrivateKey(q.bytes("scalar"))
	check(err)
	return key
}

func gcm(q question) cipher.AEAD {
	block, err := sm4.NewCipher(q.bytes("key"))
	check(err)
	mode, err := cipher.NewGCM(block)
	check(err)
	return mode
}

func certificate(q question, name string) *smx509.Certificate {
	found, err := smx509.ParseCertificate(q.bytes(name))
	check(err)
	return found
}

func chain(q question) int {
	roots := smx509.NewCertPool()
	roots.AddCert(certificate(q, "root"))
	at, err := time.Parse(time.RFC3339, q["at"])
	check(err)
	chains, err := certificate(q, "leaf").Verify(smx509.VerifyOptions{
		Roots: roots, CurrentTime: at, KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny},
	})
	check(err)
	return len(chains[0])
}

func list(q question) []string {
	found, err := smx509.ParseRevocationList(q.bytes("crl"))
	check(err)
	check(found.CheckSignatureFrom(certificate(q, "root")))
	serials := []string{}
	for _, entry := range found.RevokedCertificateEntries {
		serials = append(serials, entry.SerialNumber.Text(16))
	}
	return serials
}

func opinion(q question) any {
	switch q["ask"] {
	case "sm3":
		sum := sm3.Sum(q.bytes("message"))
		return hex.EncodeToString(sum[:])
	case "sign":
		signature, err := private(q).SignWithSM2(rand.Reader, nil, q.bytes("message"))
		check(err)
		return hex.EncodeToString(signature)
	case "verify":
		key, err := sm2.NewPublicKey(q.bytes("point"))
		check(err)
		return sm2.VerifyASN1WithSM2(key, nil, q.bytes("message"), q.bytes("signature"))
	case "seal":
		sealed := gcm(q).Seal(nil, q.bytes("nonce"), q.bytes("message"), q.bytes("aad"))
		return hex.EncodeToString(sealed)
	case "open":
		opened, err := gcm(q).Open(nil, q.bytes("nonce"), q.bytes("message"), q.bytes("aad"))
		check(err)
		return hex.EncodeToString(opened)
	case "request":
		found, err := smx509.ParseCertificateRequest(q.bytes("csr"))
		check(err)
		return found.CheckSignature() == nil
	case "chain":
		return chain(q)
	case "list":
		return list(q)
	case "enveloped":
		key, err := sm2.ParseEnvelopedPrivateKey(private(q), q.bytes("envelope"))
		check(err)
		return hex.EncodeToString(key.D.FillBytes(make([]byte, 32)))
	}
	return fmt.Errorf("an unknown question")
}

func answer(line []byte) (result map[string]any) {
	defer func() {
		if why := recover(); why != nil {
			result = map[string]any{"error": fmt.Sprint(why)}
		}
	}()
	var q question
	check(json.Unmarshal(line, &q))
	return map[string]any{"answer": opinion(q)}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		check(json.NewEncoder(os.Stdout).Encode(answer(lines.Bytes())))
	}
	check(lines.Err())
}
