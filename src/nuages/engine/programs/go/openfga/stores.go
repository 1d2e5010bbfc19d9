package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"github.com/openfga/openfga/pkg/storage"

	"github.com/oklog/ulid/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// stores are those that there are, and which key opens which.
type stores struct {
	file      string // JSON: name of a store → SHA-256 of the keys that open it
	datastore storage.OpenFGADatastore

	reading sync.Mutex
	lock    sync.RWMutex
	opens   map[string]map[string]bool // SHA-256 of a key → ids of stores
}

func newStores(home string, datastore storage.OpenFGADatastore) *stores {
	return &stores{file: filepath.Join(home, "keys.json"), datastore: datastore}
}

// load puts the keys of the file in force; before there is one, no key opens anything.
func (s *stores) load(ctx context.Context) error {
	_, err := s.read(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// read puts the keys of the file in force, makes the stores that are missing, and returns their ids by name.
func (s *stores) read(ctx context.Context) (map[string]string, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	text, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	var keys map[string][]string
	if err = json.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("no list of keys: %w", err)
	}
	ids, opens := map[string]string{}, map[string]map[string]bool{}
	for name, hashes := range keys {
		id, err := s.store(ctx, name)
		if err != nil {
			return nil, err
		}
		ids[name] = id
		for _, hash := range hashes {
			if opens[hash] == nil {
				opens[hash] = map[string]bool{}
			}
			opens[hash][id] = true
		}
	}
	s.lock.Lock()
	s.opens = opens
	s.lock.Unlock()
	return ids, nil
}

// store returns the id of the store with a name: the first, as OpenFGA lets names repeat.
func (s *stores) store(ctx context.Context, name string) (string, error) {
	options := storage.ListStoresOptions{Name: name, Pagination: storage.NewPaginationOptions(1, "")}
	found, _, err := s.datastore.ListStores(ctx, options)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return found[0].GetId(), nil
	}
	made, err := s.datastore.CreateStore(ctx, &openfgav1.Store{Id: ulid.Make().String(), Name: name})
	return made.GetId(), err
}

// obey reads the keys whenever somebody opens the control socket, which only the server's own user can.
func (s *stores) obey(ctx context.Context, control net.Listener) {
	for {
		connection, err := control.Accept()
		if err != nil {
			return // it is closed at the end
		}
		answer, err := s.answer(ctx)
		if err != nil {
			answer = []byte(err.Error())
		}
		if err = connection.SetDeadline(time.Now().Add(patience)); err == nil {
			_, err = connection.Write(answer)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "control:", err)
		}
		connection.Close()
	}
}

func (s *stores) answer(ctx context.Context) ([]byte, error) {
	ids, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(ids)
}

// key returns the ids of the stores that the request's key opens.
func (s *stores) key(ctx context.Context) (map[string]bool, error) {
	fields := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(fields) == 0 {
		return nil, refusal(openfgav1.AuthErrorCode_bearer_token_missing, "missing bearer token")
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return nil, refusal(openfgav1.AuthErrorCode_bearer_token_missing, "missing bearer token")
	}
	// Looked up by its hash, so that the time it takes says nothing about the keys that there are.
	sum := sha256.Sum256([]byte(token))
	s.lock.RLock()
	ids := s.opens[hex.EncodeToString(sum[:])]
	s.lock.RUnlock()
	if ids == nil {
		return nil, refusal(openfgav1.AuthErrorCode_unauthenticated, "unauthenticated")
	}
	return ids, nil
}

func refusal(code openfgav1.AuthErrorCode, text string) error {
	return status.Error(codes.Code(code), text)
}

// allows tells whether a key that opens these stores lets a request pass.
func allows(ids map[string]bool, request any) error {
	if named, ok := request.(interface{ GetStoreId() string }); ok && ids[named.GetStoreId()] {
		return nil
	}
	return refusal(openfgav1.AuthErrorCode_forbidden, "the key does not open this store")
}

func (s *stores) unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	if strings.HasPrefix(info.FullMethod, "/grpc.health.") {
		return handler(ctx, request)
	}
	ids, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	if list, ok := request.(*openfgav1.ListStoresRequest); ok {
		return s.own(ctx, ids, list)
	}
	if err = allows(ids, request); err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// own lists the stores that a key opens: few, hence on one page.
func (s *stores) own(
	ctx context.Context, ids map[string]bool, request *openfgav1.ListStoresRequest,
) (*openfgav1.ListStoresResponse, error) {
	options := storage.ListStoresOptions{Name: request.GetName(), Pagination: storage.NewPaginationOptions(100, "")}
	for id := range ids {
		options.IDs = append(options.IDs, id)
	}
	found, _, err := s.datastore.ListStores(ctx, options)
	return &openfgav1.ListStoresResponse{Stores: found}, err
}

func (s *stores) stream(
	service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	ids, err := s.key(stream.Context())
	if err != nil {
		return err
	}
	return handler(service, &guarded{stream, ids})
}

// guarded is a stream whose requests are looked at as they come.
type guarded struct {
	grpc.ServerStream
	ids map[string]bool
}

func (g *guarded) RecvMsg(message any) error {
	if err := g.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	request, ok := message.(proto.Message)
	if !ok {
		return refusal(openfgav1.AuthErrorCode_forbidden, "not a request")
	}
	return allows(g.ids, request)
}
