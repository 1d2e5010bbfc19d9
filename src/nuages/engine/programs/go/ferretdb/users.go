package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/clientconn/conninfo"
	"github.com/FerretDB/FerretDB/internal/handler/users"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/FerretDB/internal/util/iterator"
	"github.com/FerretDB/FerretDB/internal/util/password"
)

const (
	home = "admin" // the database that all users belong to
	root = "root"  // the role of the administrator; all others have readWrite on one database
)

// wanted is a user that there should be; without a database it is an administrator.
type wanted struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Database string `json:"database"`
}

// accounts are the users that there are: in FerretDB's own collection, with their roles as MongoDB writes them.
type accounts struct {
	backend backends.Backend

	lock   sync.RWMutex
	grants map[string]string            // name → database, "" for all
	digest map[string][sha256.Size]byte // name → of the password, as far as this process has set it
}

func (a *accounts) collection() (backends.Collection, error) {
	database, err := a.backend.Database(home)
	if err != nil {
		return nil, err
	}
	return database.Collection("system.users")
}

// inside is a context in which the backend is used without a client.
func inside(ctx context.Context) context.Context {
	info := conninfo.New()
	info.SetBypassBackendAuth()
	return conninfo.Ctx(ctx, info)
}

// load reads the users that a former process has left.
func (a *accounts) load(ctx context.Context) error {
	a.grants, a.digest = map[string]string{}, map[string][sha256.Size]byte{}
	collection, err := a.collection()
	if err != nil {
		return err
	}
	result, err := collection.Query(inside(ctx), nil)
	if err != nil {
		return err
	}
	defer result.Iter.Close()
	for {
		_, document, err := result.Iter.Next()
		if errors.Is(err, iterator.ErrIteratorDone) {
			return nil
		}
		if err != nil {
			return err
		}
		if name, database, ok := granted(document); ok {
			a.grants[name] = database
		}
	}
}

// granted reads a user's document; one that we have not written gives no rights.
func granted(document *types.Document) (name, database string, ok bool) {
	user, _ := document.Get("user")
	base, _ := document.Get("db")
	list, _ := document.Get("roles")
	roles, isArray := list.(*types.Array)
	name, ok = user.(string)
	if !ok || base != home || !isArray || roles.Len() != 1 {
		return "", "", false
	}
	first, err := roles.Get(0)
	if err != nil {
		return "", "", false
	}
	role, ok := first.(*types.Document)
	if !ok {
		return "", "", false
	}
	kind, _ := role.Get("role")
	on, _ := role.Get("db")
	database, ok = on.(string)
	switch {
	case !ok:
		return "", "", false
	case kind == root:
		return name, "", true
	default:
		return name, database, kind == "readWrite"
	}
}

// apply makes the users those that are wanted: at once for connections that are open, too.
func (a *accounts) apply(ctx context.Context, list []wanted) error {
	a.lock.Lock()
	defer a.lock.Unlock()
	collection, err := a.collection()
	if err != nil {
		return err
	}
	ctx = inside(ctx)
	stay := map[string]bool{}
	for _, user := range list {
		stay[user.Name] = true
		sum := sha256.Sum256([]byte(user.Password))
		database, exists := a.grants[user.Name]
		if exists && database == user.Database && a.digest[user.Name] == sum {
			continue
		}
		document, err := user.document()
		if err != nil {
			return err
		}
		if exists {
			_, err = collection.UpdateAll(ctx, &backends.UpdateAllParams{Docs: []*types.Document{document}})
		} else {
			_, err = collection.InsertAll(ctx, &backends.InsertAllParams{Docs: []*types.Document{document}})
		}
		if err != nil {
			return err
		}
		a.grants[user.Name], a.digest[user.Name] = user.Database, sum
	}
	for name := range a.grants {
		if stay[name] {
			continue
		}
		if _, err := collection.DeleteAll(ctx, &backends.DeleteAllParams{IDs: []any{home + "." + name}}); err != nil {
			return err
		}
		delete(a.grants, name)
		delete(a.digest, name)
	}
	return nil
}

func (w wanted) document() (*types.Document, error) {
	mechanisms, err := types.NewArray("SCRAM-SHA-1", "SCRAM-SHA-256")
	if err != nil {
		return nil, err
	}
	credentials, err := users.MakeCredentials(w.Name, password.WrapPassword(w.Password), mechanisms)
	if err != nil {
		return nil, err
	}
	kind, database := "readWrite", w.Database
	if database == "" {
		kind, database = root, home
	}
	role, err := types.NewDocument("role", kind, "db", database)
	if err != nil {
		return nil, err
	}
	roles, err := types.NewArray(role)
	if err != nil {
		return nil, err
	}
	return types.NewDocument(
		"_id", home+"."+w.Name,
		"credentials", credentials,
		"user", w.Name,
		"db", home,
		"roles", roles,
	)
}

// may returns the database of a user who has logged in, "" for all.
func (a *accounts) may(name string) (string, bool) {
	a.lock.RLock()
	defer a.lock.RUnlock()
	database, ok := a.grants[name]
	return database, ok
}

// obey takes lists of users on the control socket, which only the server's own user can open, one after the other.
func (a *accounts) obey(ctx context.Context, control net.Listener) {
	for {
		connection, err := control.Accept()
		if err != nil {
			return // it is closed at the end
		}
		answer := "ok"
		if err := a.listen(ctx, connection); err != nil {
			answer = err.Error()
		}
		if _, err := fmt.Fprint(connection, answer); err != nil {
			slog.Warn("control", "error", err)
		}
		connection.Close()
	}
}

func (a *accounts) listen(ctx context.Context, connection net.Conn) error {
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	var list []wanted
	if err := json.NewDecoder(connection).Decode(&list); err != nil {
		return fmt.Errorf("no list of users: %w", err)
	}
	return a.apply(ctx, list)
}
