package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"github.com/openfga/openfga/assets"
	"github.com/openfga/openfga/pkg/gateway"
	"github.com/openfga/openfga/pkg/logger"
	"github.com/openfga/openfga/pkg/middleware"
	httpmiddleware "github.com/openfga/openfga/pkg/middleware/http"
	"github.com/openfga/openfga/pkg/middleware/recovery"
	"github.com/openfga/openfga/pkg/middleware/requestid"
	"github.com/openfga/openfga/pkg/middleware/validator"
	"github.com/openfga/openfga/pkg/server"
	"github.com/openfga/openfga/pkg/server/config"
	servererrors "github.com/openfga/openfga/pkg/server/errors"
	"github.com/openfga/openfga/pkg/server/health"
	"github.com/openfga/openfga/pkg/storage"
	"github.com/openfga/openfga/pkg/storage/sqlcommon"
	"github.com/openfga/openfga/pkg/storage/sqlite"

	grpcrecovery "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/pressly/goose/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// engine is OpenFGA's own server on a SQLite file, put together as its command `run` does.
type engine struct {
	log       logger.Logger
	datastore storage.OpenFGADatastore
	service   *server.Server
	stores    *stores
}

func open(ctx context.Context, home string) (*engine, error) {
	log, err := logger.NewLogger(logger.WithLevel("warn"), logger.WithFormat("json"))
	if err != nil {
		return nil, err
	}
	// Every write is with the kernel before it is acknowledged.
	uri := "file:" + filepath.Join(home, "openfga.sqlite") + "?_pragma=synchronous(normal)"
	if err = migrate(uri); err != nil {
		return nil, err
	}
	settings := config.DefaultConfig()
	datastore, err := sqlite.New(uri, sqlcommon.NewConfig(
		sqlcommon.WithLogger(log),
		sqlcommon.WithMaxTuplesPerWrite(settings.MaxTuplesPerWrite),
		sqlcommon.WithMaxTypesPerAuthorizationModel(settings.MaxTypesPerAuthorizationModel),
		sqlcommon.WithMaxOpenConns(settings.Datastore.MaxOpenConns),
		sqlcommon.WithMaxIdleConns(settings.Datastore.MaxIdleConns),
	))
	if err != nil {
		return nil, err
	}
	service, err := server.NewServerWithOpts(
		server.WithDatastore(datastore),
		server.WithContinuationTokenSerializer(sqlcommon.NewSQLContinuationTokenSerializer()),
		server.WithLogger(log),
		server.WithTransport(gateway.NewRPCTransport(log)),
		server.WithExperimentals(settings.Experimentals...),
		server.WithContext(ctx),
	)
	if err != nil {
		datastore.Close()
		return nil, err
	}
	return &engine{log, datastore, service, newStores(home, datastore)}, nil
}

func (e *engine) close() {
	e.service.Close() // and with it the datastore
}

func migrate(uri string) error {
	uri, err := sqlite.PrepareDSN(uri)
	if err != nil {
		return err
	}
	database, err := goose.OpenDBWithDriver("sqlite", uri)
	if err != nil {
		return err
	}
	defer database.Close()
	goose.SetLogger(goose.NopLogger())
	goose.SetBaseFS(assets.EmbedMigrations)
	return goose.Up(database, assets.SqliteMigrationDir)
}

// listen serves both protocols until the context ends. HTTP goes by way of gRPC, and so past the same guard.
func (e *engine) listen(ctx context.Context, grpcAddress, httpAddress string) error {
	timeout := middleware.NewTimeoutInterceptor(config.DefaultRequestTimeout, e.log)
	recover := grpcrecovery.WithRecoveryHandlerContext(recovery.PanicRecoveryHandler(e.log))
	rpc := grpc.NewServer(
		grpc.ChainUnaryInterceptor(
			grpcrecovery.UnaryServerInterceptor(recover),
			requestid.NewUnaryInterceptor(),
			timeout.NewUnaryTimeoutInterceptor(),
			validator.UnaryServerInterceptor(),
			e.stores.unary,
		),
		grpc.ChainStreamInterceptor(
			grpcrecovery.StreamServerInterceptor(recover),
			requestid.NewStreamingInterceptor(),
			timeout.NewStreamTimeoutInterceptor(),
			validator.StreamServerInterceptor(),
			e.stores.stream,
		),
	)
	openfgav1.RegisterOpenFGAServiceServer(rpc, e.service)
	name := openfgav1.OpenFGAService_ServiceDesc.ServiceName
	grpc_health_v1.RegisterHealthServer(rpc, &health.Checker{TargetService: e.service, TargetServiceName: name})

	inner := bufconn.Listen(1 << 20)
	dial := func(context.Context, string) (net.Conn, error) { return inner.DialContext(ctx) }
	connection, err := grpc.NewClient(
		"passthrough:///gateway",
		grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		return err
	}
	defer connection.Close()
	handler, err := e.gateway(ctx, connection)
	if err != nil {
		return err
	}
	outer, err := net.Listen("tcp", grpcAddress)
	if err != nil {
		return err
	}
	web, err := net.Listen("tcp", httpAddress)
	if err != nil {
		return err
	}
	site := &http.Server{Handler: handler}
	failures := make(chan error, 3)
	go func() { failures <- rpc.Serve(inner) }()
	go func() { failures <- rpc.Serve(outer) }()
	go func() { failures <- site.Serve(web) }()
	select {
	case err = <-failures:
	case <-ctx.Done():
	}
	final, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = errors.Join(err, site.Shutdown(final))
	rpc.Stop()
	return err
}

func (e *engine) gateway(ctx context.Context, connection *grpc.ClientConn) (http.Handler, error) {
	runtime.DefaultContextTimeout = config.DefaultContextTimeout(config.DefaultConfig())
	mux := runtime.NewServeMux(
		runtime.WithForwardResponseOption(httpmiddleware.HTTPResponseModifier),
		runtime.WithErrorHandler(func(
			ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error,
		) {
			code := servererrors.ConvertToEncodedErrorCode(status.Convert(err))
			httpmiddleware.CustomHTTPErrorHandler(ctx, w, r, servererrors.NewEncodedError(code, err.Error()))
		}),
		runtime.WithStreamErrorHandler(func(_ context.Context, err error) *status.Status {
			code := servererrors.ConvertToEncodedErrorCode(status.Convert(err))
			return status.Convert(servererrors.NewEncodedError(code, err.Error()))
		}),
		runtime.WithHealthzEndpoint(grpc_health_v1.NewHealthClient(connection)),
		runtime.WithOutgoingHeaderMatcher(func(name string) (string, bool) { return name, true }),
	)
	if err := openfgav1.RegisterOpenFGAServiceHandler(ctx, mux, connection); err != nil {
		return nil, err
	}
	return recovery.HTTPPanicRecoveryHandler(mux, e.log), nil
}
