// Judge says whether a transparency log that this project exported is what its checkpoint claims.
//
//	judge tiles VKEY DIR                    a whole exported log: checkpoint, tile/entries/*, tile/LEVEL/*
//	judge tiles VKEY URL [TOKEN]            the same over HTTP; the token opens the entries
//	judge proof VKEY PROOFFILE ENTRYFILE    one entry with its c2sp.org/tlog-proof@v1
//	judge proof VKEY URL URL [TOKEN]        the same over HTTP
//	judge checkpoint VKEY FILE WITNESS...   a checkpoint that every one of these witnesses cosigned (their vkeys, type 04)
//
// It trusts nothing of ours: signatures, hashes, tree shape and tile paths are those of golang.org/x/mod/sumdb. All
// hashes are worked out afresh from the entries and every file is held against them, so no file goes unread, which
// x/mod's own TileHashReader would allow. Exit 0: a line starting with OK. Exit 1: one line FAIL for every fault.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

var (
	faults int
	token  string // what a server of the log is shown
	client = http.Client{Timeout: 30 * time.Second}
)

func fault(format string, args ...any) {
	faults++
	fmt.Printf("FAIL "+format+"\n", args...)
}

// stop reports a fault after which nothing else can be judged.
func stop(format string, args ...any) {
	fault(format, args...)
	os.Exit(1)
}

func remote(path string) bool {
	return strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://")
}

func read(path string) []byte {
	if remote(path) {
		return fetch(path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		stop("%v", err)
	}
	return data
}

// fetch asks for it once, and wants it whole and as what it is.
func fetch(url string) []byte {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		stop("%v", err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		stop("%v", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		stop("%s: %s %v", url, response.Status, err)
	}
	wanted := ""
	switch {
	case strings.HasSuffix(url, "/checkpoint"):
		wanted = "text/plain; charset=utf-8"
	case strings.Contains(url, "/tile/"):
		wanted = "application/octet-stream"
	}
	if kind := response.Header.Get("Content-Type"); wanted != "" && kind != wanted {
		fault("%s: is %s and should be %s", url, kind, wanted)
	}
	return data
}

func number(line string) int64 {
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != line {
		stop("%q is not a number in plain decimal", line)
	}
	return n
}

// openCheckpoint verifies the log's signature and returns the size and root that it covers.
func openCheckpoint(signed []byte, vkey string) (int64, tlog.Hash) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		stop("vkey: %v", err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		stop("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		stop("checkpoint: not three lines that begin with %s", verifier.Name())
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		stop("checkpoint: root: %v", err)
	}
	return number(lines[1]), root
}

// path is where C2SP tlog-tiles keeps a tile; level -1 is the entries themselves.
func path(t tlog.Tile) string {
	own := strings.TrimPrefix(t.Path(), "tile/8/")
	return "tile/" + strings.Replace(own, "data/", "entries/", 1)
}

// needed lists the tiles of one level of a tree: the full ones and the partial one at the edge.
func needed(level int, size int64) (tiles []tlog.Tile) {
	count := size
	if level > 0 {
		count = size >> (height * level)
	}
	for n := int64(0); n*width < count; n++ {
		w := count - n*width
		if w > width {
			w = width
		}
		tiles = append(tiles, tlog.Tile{H: height, L: level, N: n, W: int(w)})
	}
	return tiles
}

// unpack splits a bundle into its entries, each led by its length in two bytes.
func unpack(bundle []byte) (entries [][]byte, whole bool) {
	for len(bundle) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if end > len(bundle) {
			return entries, false
		}
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	return entries, len(bundle) == 0
}

func pack(entries [][]byte) (bundle []byte) {
	for _, entry := range entries {
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
	}
	return bundle
}

// present lists what there is to judge: every file of a folder; of a server, what it must have.
func present(dir string, needed map[string]bool) (names []string) {
	if remote(dir) {
		for name := range needed {
			names = append(names, name)
		}
		sort.Strings(names)
		return names
	}
	_ = filepath.WalkDir(dir+"tile", func(file string, found fs.DirEntry, err error) error {
		if err == nil && !found.IsDir() {
			names = append(names, strings.TrimPrefix(file, filepath.Clean(dir)+"/"))
		}
		return nil
	})
	return names
}

func judgeTiles(vkey, dir string) {
	dir = strings.TrimSuffix(dir, "/") + "/"
	size, signedRoot := openCheckpoint(read(dir+"checkpoint"), vkey)

	// Every hash of the tree, made from the entries.
	var entries [][]byte
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for _, bundle := range needed(-1, size) {
		got, whole := unpack(read(dir + path(bundle)))
		if !whole || len(got) != bundle.W {
			stop("%s: not a bundle of %d entries", path(bundle), bundle.W)
		}
		entries = append(entries, got...)
	}
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			stop("entry %d: %v", i, err)
		}
		stored = append(stored, hashes...)
	}

	root := tlog.Hash(sha256.Sum256(nil))
	if size > 0 {
		root, _ = tlog.TreeHash(size, reader)
	}
	if root != signedRoot {
		fault("root: the checkpoint says %v, the entries give %v", signedRoot, root)
	}

	missing := map[string]bool{}
	for level := -1; level <= 0 || size>>(height*level) > 0; level++ {
		for _, tile := range needed(level, size) {
			missing[path(tile)] = true
		}
	}
	checked := 0
	check := func(name string) {
		own := "tile/8/" + strings.Replace(strings.TrimPrefix(name, "tile/"), "entries/", "data/", 1)
		tile, err := tlog.ParseTilePath(own)
		level := tile.L
		if level < 0 {
			level = 0
		}
		if err != nil || tile.L > 7 || (tile.N*width+int64(tile.W))<<(height*level) > size {
			fault("%s: not a part of a tree of %d entries", name, size)
			return
		}
		want := []byte(nil)
		if tile.L < 0 {
			want = pack(entries[tile.N*width : tile.N*width+int64(tile.W)])
		} else {
			want, _ = tlog.ReadTileData(tile, reader)
		}
		if !bytes.Equal(read(dir+name), want) {
			fault("%s: differs from what the entries give", name)
		}
		delete(missing, name)
		checked++
	}
	for _, name := range present(dir, missing) {
		check(name)
	}
	for name := range missing {
		fault("%s: missing", name)
	}
	if faults == 0 {
		fmt.Printf("OK size %d root %v files %d\n", size, root, checked)
	}
}

func judgeProof(vkey, proofFile, entryFile string) {
	head, signed, found := strings.Cut(string(read(proofFile)), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		stop("proof: not a c2sp.org/tlog-proof@v1")
	}
	lines = append(lines[1:], "") // so that there is a line to look at
	if strings.HasPrefix(lines[0], "extra ") {
		if _, err := base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):]); err != nil {
			stop("proof: extra: %v", err)
		}
		lines = lines[1:]
	}
	if !strings.HasPrefix(lines[0], "index ") {
		stop("proof: no line with the index")
	}
	index := number(strings.TrimPrefix(lines[0], "index "))
	var proof tlog.RecordProof
	for _, line := range lines[1 : len(lines)-1] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			stop("proof: %v", err)
		}
		proof = append(proof, hash)
	}
	size, root := openCheckpoint([]byte(signed), vkey)
	if index >= size {
		stop("proof: entry %d is not among %d", index, size)
	}
	if err := tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(read(entryFile))); err != nil {
		stop("proof: %v", err)
	}
	fmt.Printf("OK index %d size %d root %v\n", index, size, root)
}

// witness checks the signatures of one cosigner: a time in eight bytes, then Ed25519 over a heading, that time and the text.
type witness struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.id }

func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, text)
	return seconds > 0 && seconds < 1<<63 && ed25519.Verify(w.key, []byte(message), signature[8:])
}

// newWitness reads NAME+ID+KEY, where ID must be the start of the hash of the name and the typed key.
func newWitness(vkey string) witness {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		stop("witness: not a vkey: %q", vkey)
	}
	typed, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(typed) != 1+ed25519.PublicKeySize || typed[0] != 4 {
		stop("witness: %s: not an Ed25519 cosigner's key", parts[0])
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), typed...))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		stop("witness: %s: the key is not the one that its id names", parts[0])
	}
	return witness{parts[0], binary.BigEndian.Uint32(sum[:4]), typed[1:]}
}

func judgeCheckpoint(vkey, file string, vkeys []string) {
	signed := read(file)
	size, root := openCheckpoint(signed, vkey)
	for _, each := range vkeys {
		if _, err := note.Open(signed, note.VerifierList(newWitness(each))); err != nil {
			fault("witness: %s: %v", each, err)
		}
	}
	if faults == 0 {
		fmt.Printf("OK size %d root %v witnesses %d\n", size, root, len(vkeys))
	}
}

func main() {
	args := os.Args[1:]
	if len(args) > 3 && (args[0] == "tiles" || args[0] == "proof" && len(args) == 5) {
		token, args = args[len(args)-1], args[:len(args)-1]
	}
	switch {
	case len(args) == 3 && args[0] == "tiles":
		judgeTiles(args[1], args[2])
	case len(args) == 4 && args[0] == "proof":
		judgeProof(args[1], args[2], args[3])
	case len(args) >= 3 && args[0] == "checkpoint":
		judgeCheckpoint(args[1], args[2], args[3:])
	default:
		fmt.Println("usage: judge tiles VKEY DIR|URL [TOKEN] | judge proof VKEY PROOF ENTRY [TOKEN] | judge checkpoint VKEY FILE WITNESS...")
		os.Exit(2)
	}
	if faults > 0 {
		os.Exit(1)
	}
}
