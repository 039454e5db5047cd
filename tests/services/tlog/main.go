// Judges exported tiles with golang.org/x/mod/sumdb: tlog DIR VKEY [OLDSIZE]
//
// Verifies the checkpoint's note, reads every entry bundle, proves each entry under the root
// through tiles that the library itself authenticates, and the tree of OLDSIZE entries as a
// prefix of the whole. Prints "ok SIZE ROOT", or "no" with the reason.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder string

func (folder) Height() int { return height }

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func place(dir folder, tile tlog.Tile) string {
	level := strconv.Itoa(tile.L)
	if tile.L < 0 {
		level = "entries"
	}
	number := fmt.Sprintf("%03d", tile.N%1000)
	for n := tile.N / 1000; n > 0; n /= 1000 {
		number = fmt.Sprintf("x%03d/%s", n%1000, number)
	}
	if tile.W < 1<<height {
		number = fmt.Sprintf("%s.p/%d", number, tile.W)
	}
	return filepath.Join(string(dir), "tile", level, number)
}

func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		content, err := os.ReadFile(place(dir, tile))
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}

func head(dir folder, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return tlog.Tree{}, err
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

func bundle(dir folder, first, size int64) ([][]byte, error) {
	width := min(size-first, 1<<height)
	content, err := os.ReadFile(place(dir, tlog.Tile{H: height, L: -1, N: first >> height, W: int(width)}))
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for len(content) > 0 {
		length := int(binary.BigEndian.Uint16(content))
		records = append(records, content[2:2+length])
		content = content[2+length:]
	}
	if int64(len(records)) != width {
		return nil, fmt.Errorf("a bundle of %d entries instead of %d", len(records), width)
	}
	return records, nil
}

func judge(dir folder, vkey string, old int64) (tlog.Tree, error) {
	tree, err := head(dir, vkey)
	if err != nil {
		return tree, err
	}
	reader := tlog.TileHashReader(tree, dir)
	for first := int64(0); first < tree.N; first += 1 << height {
		records, err := bundle(dir, first, tree.N)
		if err != nil {
			return tree, err
		}
		for place, record := range records {
			number := first + int64(place)
			proof, err := tlog.ProveRecord(tree.N, number, reader)
			if err != nil {
				return tree, err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, number, tlog.RecordHash(record)); err != nil {
				return tree, fmt.Errorf("entry %d: %w", number, err)
			}
		}
	}
	if old == 0 {
		return tree, nil
	}
	earlier, err := tlog.TreeHash(old, reader)
	if err != nil {
		return tree, err
	}
	proof, err := tlog.ProveTree(tree.N, old, reader)
	if err != nil {
		return tree, err
	}
	return tree, tlog.CheckTree(proof, tree.N, tree.Hash, old, earlier)
}

func main() {
	old := int64(0)
	if len(os.Args) > 3 {
		old, _ = strconv.ParseInt(os.Args[3], 10, 64)
	}
	tree, err := judge(folder(os.Args[1]), os.Args[2], old)
	if err != nil {
		fmt.Println("no", err)
		return
	}
	fmt.Println("ok", tree.N, base64.StdEncoding.EncodeToString(tree.Hash[:]))
}
